"""Read protocol buffers without knowing them: fields as (number, value) pairs."""


def varint(data, at):
    """-> (number, where it ends)."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at += 1
        shift += 7
        if byte < 128:
            return value, at


def fields(data):
    """-> [(field, number or bytes)]; fails where data is no message."""
    found, at = [], 0
    while at < len(data):
        tag, at = varint(data, at)
        value, at = varint(data, at)
        if tag & 7 == 2:
            assert at + value <= len(data)
            value, at = bytes(data[at : at + value]), at + value
        else:
            assert tag & 7 == 0, tag
        found.append((tag >> 3, value))
    return found


def packed(data):
    """-> the numbers of a packed field."""
    found, at = [], 0
    while at < len(data):
        value, at = varint(data, at)
        found.append(value)
    return found


def profile(data):
    """-> {"types", "samples": [([(function, file, line), ...], values, labels)], "comments", ...} of a profile.proto."""
    all = fields(data)
    strings = [str(value, "utf-8") for field, value in all if field == 6]
    assert strings[0] == ""
    functions = {}
    locations = {}
    mappings = [dict(fields(value)) for field, value in all if field == 3]
    for field, value in all:
        if field == 5:
            function = dict(fields(value))
            functions[function[1]] = strings[function[2]], strings[function.get(4, 0)]
        elif field == 4:
            location = dict(fields(value))
            line = dict(fields(location[4]))
            assert location[2] == mappings[0][1]
            locations[location[1]] = functions[line[1]] + (line.get(2, 0),)
    samples = []
    for field, value in all:
        if field == 2:
            inner = fields(value)
            labels = [dict(fields(label)) for number, label in inner if number == 3]
            inner = dict(inner)
            labels = [(strings[label[1]], label[3], strings[label[4]]) for label in labels]
            samples.append(([locations[id] for id in packed(inner[1])], packed(inner[2]), labels))
    plain = {field: value for field, value in all if field > 8}
    types = [dict(fields(value)) for field, value in all if field == 1]
    return {
        "types": [(strings[t[1]], strings[t[2]]) for t in types],
        "samples": samples,
        "comments": [strings[value] for field, value in all if field == 13],
        "period": plain.get(12, 0),
        "time_ns": plain.get(9, 0),
        "duration_ns": plain.get(10, 0),
        "default": strings[plain.get(14, 0)],
        "program": strings[mappings[0][5]],
    }
