"""relay.py: what a direction of the wire does to frames, without a wire."""

from relay import QUEUE, Trouble, _Direction

FRAMES = [bytes([n]) * 60 for n in range(200)]


def carried(trouble, frames=FRAMES, until=10.0):
    """Put frames in, a millisecond apart, and return what comes out, and the counters."""
    out = []
    direction = _Direction(trouble, trouble.seed, lambda frames: out.extend(frames) or len(frames))
    for n, frame in enumerate(frames):
        direction.put(frame, n / 1000)
        direction.advance(n / 1000)
    direction.advance(until)
    return out, direction.count


def test_nothing_goes_wrong():
    assert carried(Trouble())[0] == FRAMES


def test_same_for_the_same_seed():
    trouble = Trouble(loss=0.1, duplicate=0.1, reorder=0.1, corrupt=0.1)
    assert carried(trouble) == carried(trouble)
    assert carried(trouble) != carried(Trouble(loss=0.1, duplicate=0.1, reorder=0.1, corrupt=0.1, seed=2))


def test_loss_and_duplication():
    out, count = carried(Trouble(loss=0.2))
    assert len(out) == len(FRAMES) - count["lost"] and 10 < count["lost"] < 90
    out, count = carried(Trouble(duplicate=0.5))
    assert len(out) == len(FRAMES) + count["duplicated"] and set(out) == set(FRAMES)


def test_reordering_loses_nothing():
    out, count = carried(Trouble(reorder=0.2, hold=0.005))
    assert out != FRAMES and sorted(out) == FRAMES and count["reordered"] > 10


def test_corruption_flips_one_bit_behind_the_header():
    out, count = carried(Trouble(corrupt=1))
    assert count["corrupted"] == len(FRAMES)
    for before, after in zip(FRAMES, out):
        assert before[:14] == after[:14]
        assert sum((a ^ b).bit_count() for a, b in zip(before, after)) == 1


def test_delay():
    assert carried(Trouble(delay=0.05), FRAMES[:10], 0.049)[0] == []
    assert carried(Trouble(delay=0.05), FRAMES[:10], 0.06)[0] == FRAMES[:10]


def test_rate_and_its_queue():
    out, count = carried(Trouble(rate=60 * 100), FRAMES * 10, 1.0)  # 100 frames a second
    assert 95 <= len(out) <= 305 and count["overrun"] > 0
    assert count["overrun"] + QUEUE <= len(FRAMES) * 10
