"""What a channel is set to while a song plays: its program, whether it plays drums, and whose notes it bends.

State belongs to channels, not to chunks: what one chunk sets holds for the notes of all others, in order of time.
Sources: General MIDI 1 and 2, Roland GS (address 40 1x 15: use for rhythm part), Yamaha XG (08 pp 07: part mode; bank MSB
127 and 126: drum and sound effect kits), MIDI Polyphonic Expression 1.0 (registered parameter 6: zones).
"""

from __future__ import annotations

from audiocycle.music.midi.events import CONTROL, PROGRAM

DRUMS = 9
"""The channel that plays drums unless something else is said."""
BANK, BANK_FINE, DATA_ENTRY, NRPN_FINE, NRPN, RPN_FINE, RPN = 0, 32, 6, 98, 99, 100, 101
_MPE_ZONE = 6
_GM_ON, _GM2_ON, _GM_OFF = (b"\x09\x01", b"\x09\x03", b"\x09\x02")
_XG_ON = b"\x4c\x00\x00\x7e\x00"
_GS_RESET = b"\x42\x12\x40\x00\x7f\x00"
_GS_CHANNELS = (9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15)
"""By GS part number."""


class ChannelState:
    """The state of all 16 channels, as a synthesizer keeps it.

    Attributes:
        program, is_drum: of each channel, now.
        master: of each channel, the one whose notes it plays: another one for the member channels of an MPE zone.
    """

    def __init__(self) -> None:
        self.program = [0] * 16
        self.is_drum = [channel == DRUMS for channel in range(16)]
        self.master = list(range(16))
        self._bank = [-1] * 16
        self._by_bank = [False] * 16
        self._rpn = [(127, 127)] * 16
        self._dialect = ""

    def play(self, status: int, body: bytes) -> None:
        """Take in a channel event that is no note."""
        channel, kind = status & 0xF, status >> 4
        if kind == PROGRAM:
            self.program[channel] = body[0]
            self._choose_kit(channel)
        elif kind == CONTROL:
            number, value = body
            if number == BANK:
                self._bank[channel] = value
            elif number == RPN:
                self._rpn[channel] = (value, self._rpn[channel][1])
            elif number == RPN_FINE:
                self._rpn[channel] = (self._rpn[channel][0], value)
            elif number in (NRPN, NRPN_FINE):  # data is now for a parameter that is not registered
                self._rpn[channel] = (127, 127)
            elif number == DATA_ENTRY and self._rpn[channel] == (0, _MPE_ZONE) and channel in (0, 15):
                self._make_zone(channel, min(value, 15))

    def tell(self, body: bytes) -> bool:
        """Take in a system exclusive message: what follows its F0, or as much of it as counts. True if it means something here."""
        if body[:1] == b"\x7e" and body[2:4] in (_GM_ON, _GM2_ON, _GM_OFF):
            self._reset("gm2" if body[2:4] == _GM2_ON else "gm")
        elif body[:1] == b"\x43" and body[2:7] == _XG_ON:
            self._reset("xg")
        elif body[:1] == b"\x41" and body[2:8] == _GS_RESET:
            self._reset("gs")
        elif (
            body[:1] == b"\x41"
            and body[2:5] == b"\x42\x12\x40"
            and len(body) > 7
            and body[5] >> 4 == 1
            and body[6] == 0x15
        ):
            self.is_drum[_GS_CHANNELS[body[5] & 0xF]] = body[7] > 0
        elif (
            body[:1] == b"\x43"
            and body[2:4] == b"\x4c\x08"
            and len(body) > 6
            and body[4] < 16
            and body[5] == 0x07
        ):
            self.is_drum[body[4]] = body[6] > 0
        else:
            return False
        return True

    def _reset(self, dialect: str) -> None:
        """Drums are where they are without a word. Programs stay: files send them before and after resets alike."""
        self._dialect = dialect
        self._bank, self._by_bank = [-1] * 16, [False] * 16
        self.is_drum = [channel == DRUMS for channel in range(16)]

    def _choose_kit(self, channel: int) -> None:
        """A program change takes the bank that was selected before it."""
        bank = self._bank[channel]
        is_kit = self._dialect != "gs" and bank in (120, 127)  # GS has the MT-32's sounds there
        is_kit |= self._dialect == "xg" and bank == 126
        if is_kit and not self.is_drum[channel]:
            self.is_drum[channel] = self._by_bank[channel] = True
        elif not is_kit and self._by_bank[channel]:
            self.is_drum[channel] = self._by_bank[channel] = False
        elif channel == DRUMS and bank == 121 and self._dialect == "gm2":
            self.is_drum[channel] = False

    def _make_zone(self, master: int, n_members: int) -> None:
        """Give a zone its member channels; of no members, it ends."""
        members = range(1, n_members + 1) if master == 0 else range(15 - n_members, 15)
        self.master = [channel if owner == master else owner for channel, owner in enumerate(self.master)]
        for channel in members:
            self.master[channel] = master
