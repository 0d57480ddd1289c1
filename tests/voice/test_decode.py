"""Compressed recordings, as people have them: decoded to the end, whatever their headers say."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from encoded import KINDS, Kind, encode
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_bundle import vowel

from audiocycle.errors import InputError
from audiocycle.spec import FloatArray
from audiocycle.voice.sound_file import mono_blocks, open_sound, read_mono

EACH_KIND = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))


def decoded(content: bytes) -> FloatArray:
    """(N, channels)."""
    with open_sound(io.BytesIO(content), "it") as sound:
        return sound.read(always_2d=True)


@EACH_KIND
@settings(max_examples=8)
@given(st.data())
def test_the_length_is_the_sources_within_the_codecs_padding(kind: Kind, data: st.DataObject) -> None:
    rate = data.draw(st.sampled_from(kind.rates))
    n = data.draw(st.integers(rate // 4, 3 * rate))
    samples = 0.3 * np.sin(2 * np.pi * 220 * np.arange(n) / rate) * np.linspace(0.2, 1, n)
    made = decoded(encode(kind, samples, rate))
    assert n - kind.lost <= len(made) <= n + kind.padding
    assert 0.3 < np.linalg.norm(made) / np.linalg.norm(samples) < 1.5


@EACH_KIND
def test_the_sound_is_the_sources(kind: Kind, tmp_path: Path) -> None:
    rate = kind.rates[0]
    source = vowel(1.0, rate)
    path = tmp_path / f"a.{kind.ending}"
    path.write_bytes(encode(kind, source, rate))
    with open_sound(path) as sound:
        blocks = list(mono_blocks(sound, "a", 3000))
    assert {len(block) for block in blocks[:-1]} == {3000}
    made = np.concatenate(blocks)
    alike = np.correlate(made, source, "full") / np.linalg.norm(made) / np.linalg.norm(source)
    assert alike.max() > 0.9
    assert abs(int(alike.argmax()) - len(source) + 1) <= kind.padding


@pytest.mark.parametrize("ending", ["mp3", "bare.mp3", "aac", "ac3", "mp2"])
def test_joined_files_are_read_to_the_end(ending: str) -> None:
    kind = KINDS[ending]
    rate = kind.rates[-1]
    parts = [encode(kind, vowel(seconds, rate), rate) for seconds in (1.0, 0.7, 1.3)]
    made = decoded(b"".join(parts))
    assert 3.0 * rate <= len(made) <= 3.0 * rate + 3 * (kind.padding + 2 * 1152 + 1105)


@pytest.mark.parametrize("ending", ["opus", "flac.ogg"])
def test_chained_ogg_is_read_to_the_end(ending: str) -> None:
    kind = KINDS[ending]
    rate = kind.rates[0]
    parts = [encode(kind, vowel(seconds, rate), rate) for seconds in (1.0, 0.7)]
    assert len(decoded(b"".join(parts))) == round(1.7 * rate)


def test_links_of_other_rates_and_channels_are_brought_to_the_first_ones() -> None:
    links = []
    for rate, n_channels, seconds in ((16000, 1, 1.0), (22050, 2, 0.5), (8000, 1, 0.5)):
        stream = io.BytesIO()
        soundfile.write(stream, np.repeat(vowel(seconds, rate)[:, None], n_channels, 1), rate, format="OGG")
        links.append(stream.getvalue())
    made = decoded(b"".join(links))
    assert made.shape[1] == 1
    assert len(made) == pytest.approx(2.0 * 16000, abs=64)
    assert np.sqrt(np.mean(np.square(made[-4000:]))) == pytest.approx(np.sqrt(np.mean(np.square(made[4000:8000]))), rel=0.3)


def test_a_file_may_begin_in_the_middle_of_a_stream_and_behind_tags() -> None:
    content = encode(KINDS["bare.mp3"], vowel(1.0, 44100), 44100)
    tag = b"ID3\x04\x00\x00\x00\x00\x02\x00" + bytes(256)
    for cut in (100, 417, 2000, 3001):
        made = decoded(tag + content[cut:])
        assert len(made) == pytest.approx(44100 * (1 - cut / len(content)), abs=4 * 1152)
    assert len(decoded(content + b"TAG" + b"title".ljust(125, b"\0"))) == pytest.approx(44100, abs=3 * 1152)


def test_a_recording_that_was_stopped_within_a_frame_is_read_to_there() -> None:
    content = encode(KINDS["bare.mp3"], vowel(1.0, 44100), 44100)
    assert len(decoded(content[:-100])) == pytest.approx(44100, abs=4 * 1152)


@pytest.mark.parametrize("ending", ["m4a", "mp4", "mp3", "alac.m4a", "3gp", "webm", "mka"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_what_is_proved_to_be_cut_off_is_refused(ending: str, share: float) -> None:
    kind = KINDS[ending]
    content = encode(kind, vowel(2.0, kind.rates[0]), kind.rates[0])
    with pytest.raises(InputError, match=r"it: .*copy it again"):
        decoded(content[: int(share * len(content))])


def vorbis(seconds: float) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, vowel(seconds), 16000, format="OGG", subtype="VORBIS")
    return stream.getvalue()


@pytest.mark.parametrize("ending", ["opus", "flac.ogg", "vorbis"])
def test_a_lost_page_is_no_shorter_recording(ending: str) -> None:
    content = bytearray(vorbis(6.0) if ending == "vorbis" else encode(KINDS[ending], vowel(6.0, KINDS[ending].rates[0]), KINDS[ending].rates[0]))
    pages = [place for place in range(len(content)) if content[place : place + 4] == b"OggS"]
    place = pages[len(pages) // 2] + 200
    assert decoded(bytes(content)).any()
    content[place] ^= 0x10
    with pytest.raises(InputError, match=r"^it: cannot be decoded to its end; it seems damaged, copy it again$"):
        decoded(bytes(content))


@pytest.mark.parametrize("ending", ["opus", "vorbis"])
def test_an_ogg_may_begin_in_the_middle_of_a_stream(ending: str) -> None:
    """Of radio: the headers, and pages from any time on."""
    content = vorbis(6.0) if ending == "vorbis" else encode(KINDS[ending], vowel(6.0, 48000), 48000)
    pages = [place for place in range(len(content)) if content[place : place + 4] == b"OggS"]
    kept = content[: pages[2]] + content[pages[4] :]
    assert 0.4 < len(decoded(kept)) / len(decoded(content)) < 0.9


def test_what_a_recorder_left_out_is_noted() -> None:
    """Voice in WebM, whose packets without voice were never sent."""
    stream, rate = io.BytesIO(), 48000
    with av.open(stream, "w", format="webm") as container:
        out = container.add_stream("libopus", rate=rate)
        out.codec_context.layout = "mono"
        frame = av.AudioFrame.from_ndarray((vowel(3.0, rate) * 32767).astype(np.int16)[None], format="s16p", layout="mono")
        frame.sample_rate, frame.pts = rate, 0
        for packet in (*out.encode(frame), *out.encode(None)):
            if packet.pts is None or not 1.0 <= float(packet.pts * packet.time_base) < 1.5:
                container.mux(packet)
    for content in (stream.getvalue(), encode(KINDS["webm"], vowel(3.0, rate), rate)):
        with open_sound(io.BytesIO(content), "it") as sound:
            for _ in range(2):
                n, _ = len(sound.read()), sound.seek(0)
            gap = 3.0 - n / rate
            assert sound.notes == ({} if gap < 0.1 else {"gaps": "its times have gaps of 0.5 s in all, which are left out"})


def test_a_segment_of_open_size_is_read_to_where_its_recorder_stopped() -> None:
    content = bytearray(encode(KINDS["webm"], vowel(2.0, 48000), 48000))
    place = content.index(b"\x18\x53\x80\x67") + 4
    content[place : place + 8] = b"\x01" + b"\xff" * 7
    assert len(decoded(bytes(content[: len(content) // 2]))) > 24000


def test_damage_in_the_middle_names_the_file() -> None:
    content = bytearray(encode(KINDS["alac.m4a"], vowel(4.0, 16000), 16000))
    middle = (content.index(b"mdat") + content.index(b"moov")) // 2
    content[middle : middle + 9000] = bytes(range(250)) * 36
    with pytest.raises(InputError, match=r"^it: cannot be decoded to its end; it seems damaged, copy it again$"):
        decoded(bytes(content))


def test_of_two_tracks_one_is_taken_and_that_is_said() -> None:
    content = encode(KINDS["mka"], vowel(0.5), 16000, tracks=2)
    with open_sound(io.BytesIO(content), "it") as sound:
        assert sound.notes == {"tracks": "has 2 sound tracks; this is number 1"}
        assert len(sound.read()) == 8000


def film(with_sound: bool) -> bytes:
    stream = io.BytesIO()
    with av.open(stream, "w", format="matroska") as container:
        video = container.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        if with_sound:
            sound = container.add_stream("flac", rate=16000)
            sound.codec_context.layout = "mono"
        for index in range(25):
            picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 10 * index % 255, np.uint8), format="rgb24")
            for packet in video.encode(picture):
                container.mux(packet)
        for packet in video.encode(None):
            container.mux(packet)
        if with_sound:
            frame = av.AudioFrame.from_ndarray((vowel(1.0)[None] * 32767).astype(np.int16), format="s16p", layout="mono")
            frame.sample_rate, frame.pts = 16000, 0
            for packet in (*sound.encode(frame), *sound.encode(None)):
                container.mux(packet)
    return stream.getvalue()


def test_the_sound_of_a_film_is_taken() -> None:
    assert len(decoded(film(True))) == 16000


def test_a_film_without_sound_is_refused() -> None:
    with pytest.raises(InputError, match="it has no sound that is known here"):
        decoded(film(False))


@pytest.mark.parametrize("n_channels", [1, 2])
def test_channels_are_kept_apart(n_channels: int) -> None:
    samples = np.stack([vowel(0.5), vowel(0.5, f0=200.0)])[:n_channels]
    made = decoded(encode(KINDS["flac.ogg"], samples, 16000))
    np.testing.assert_allclose(made, samples.T, atol=1e-4)


LISTS = {
    "a.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{other}\n#EXT-X-ENDLIST\n",
    "a.ffconcat": "ffconcat version 1.0\nfile {other}\n",
    "a.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9999 RTP/AVP 0\n",
    "a.mp3": "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{other}\n#EXT-X-ENDLIST\n",
    "a.mpd": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>{other}</BaseURL></MPD>',
}


@pytest.mark.parametrize("name", LISTS)
def test_no_file_can_have_another_one_opened(tmp_path: Path, name: str) -> None:
    other = tmp_path / "other.aac"
    other.write_bytes(encode(KINDS["aac"], vowel(1.0), 16000))
    path = tmp_path / name
    path.write_text(LISTS[name].format(other=other))
    with pytest.raises(InputError) as error:
        open_sound(path)
    assert "not a readable recording" in str(error.value)
    assert "\n" not in str(error.value)


def test_ffmpeg_says_nothing_on_the_terminal(tmp_path: Path) -> None:
    content = bytearray(encode(KINDS["bare.mp3"], vowel(2.0, 44100), 44100))
    content[5000:6000] = np.random.default_rng(0).bytes(1000)
    (tmp_path / "a.mp3").write_bytes(content)
    (tmp_path / "b.m4a").write_bytes(encode(KINDS["m4a"], vowel(1.0), 16000)[:-3000])
    code = (
        "from pathlib import Path\nfrom audiocycle.errors import InputError\nfrom audiocycle.voice.sound_file import read_mono\n"
        "for name in ('a.mp3', 'b.m4a'):\n    try:\n        read_mono(Path(name), 16000)\n    except InputError:\n        pass\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_a_flac_from_a_pipe_and_two_in_one_file_are_read_to_the_end(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", vowel(1.0), 16000)
    content = bytearray((tmp_path / "a.flac").read_bytes())
    length = int.from_bytes(content[18:26], "big")
    content[18:26] = struct.pack(">Q", length >> 36 << 36)
    (tmp_path / "pipe.flac").write_bytes(content)
    (tmp_path / "two.flac").write_bytes((tmp_path / "a.flac").read_bytes() * 2)
    whole = read_mono(tmp_path / "a.flac", 16000)
    np.testing.assert_array_equal(read_mono(tmp_path / "pipe.flac", 16000), whole)
    np.testing.assert_array_equal(read_mono(tmp_path / "two.flac", 16000), np.tile(whole, 2))
