import numpy as np
import pytest

from instructavatar.face import visemes
from instructavatar.face.motion import ACTIONS, INDEX

# "Hello my good friend. We bought five jugs ..." as flite prints it.
SPOKEN = (
    "pau:0.220 hh:0.295 ax:0.332 l:0.444 ow:0.588 m:0.695 ay:0.859 g:0.959 uh:1.031 d:1.072 f:1.181 r:1.225 eh:1.450 n:1.532"
    " d:1.613 pau:2.233 w:2.293 iy:2.376 b:2.474 aa:2.615 t:2.681 f:2.798 ay:2.967 v:3.010 jh:3.097 aa:3.203 g:3.266 z:3.318 pau:4.2"
)


def phones_of(text):
    phones, clock = [], 0.0
    for item in text.split():
        name, end = item.split(":")
        phones.append((name, clock, float(end)))
        clock = float(end)
    return phones


PHONES = phones_of(SPOKEN)
FRAMES = 105


def at(curve, phone, number=0):
    start, end = [(a, b) for p, a, b in PHONES if p == phone][number]
    return curve[int((start + end) / 2 * 25)]


@pytest.mark.parametrize(
    "alphabet",
    [
        "aa ae ah ao aw ax ay b ch d dh eh er ey f g hh ih iy jh k l m n ng ow oy p r s sh t th uh uw v w y z zh pau",
        "AA1 AE0 AH2 B CH SIL +NOISE+ +SPN+ <sil> ER0 ZH",
        "ɹ ɾ ə ɐ ᵻ ɚ ɜː ɔː oː ɑː æ ʌ ʊ uː iː i ɪ eɪ aɪ aʊ oʊ ɔɪ θ ð ʃ ʒ tʃ dʒ ŋ ɡ j w h n̩ l̩ ʔ . , ; ?",
    ],
)
def test_phone_sets_are_known(alphabet):
    assert not visemes.unknown_phones([(p, 0.0, 0.1) for p in alphabet.split()])


def test_unknown_phones_are_counted_and_drawn_half_open():
    phones = [("pau", 0, 0.4), ("qqq", 0.4, 0.8), ("pau", 0.8, 1.2)]
    assert visemes.unknown_phones(phones) == {"qqq": 1}
    assert 0.02 < visemes.mouth_actions(phones, 30)[15, INDEX["jawOpen"]] < 0.3


def test_shapes_and_range():
    values = visemes.mouth_actions(PHONES, FRAMES)
    assert values.shape == (FRAMES, 52) and values.dtype == np.float32
    assert values.min() >= 0 and values.max() <= 1
    assert visemes.lip_aperture(PHONES, FRAMES).shape == (FRAMES,)
    assert not values[:, [i for i, name in enumerate(ACTIONS) if name.startswith(("eye", "brow"))]].any()


@pytest.mark.parametrize(("phone", "number"), [("m", 0), ("b", 0)])
def test_lips_meet(phone, number):
    assert at(visemes.lip_aperture(PHONES, FRAMES), phone, number) < 0.02
    assert at(visemes.closure_gate(PHONES, FRAMES), phone, number) > 0.95


def test_even_a_short_closure_closes_one_frame():
    for start in np.arange(0.4, 0.48, 0.01):
        phones = [("aa", 0.0, start), ("b", start, start + 0.03), ("aa", start + 0.03, 1.0)]
        assert visemes.lip_aperture(phones, 25).min() < 0.05
        assert visemes.lip_aperture(phones, 25)[5] > 0.4


def test_lower_lip_meets_teeth():
    assert at(visemes.mouth_actions(PHONES, FRAMES)[:, INDEX["mouthRollLower"]], "f") > 0.35
    assert at(visemes.teeth_gate(PHONES, FRAMES), "f") > 0.9


def test_open_vowels_open_and_round_ones_round():
    values = visemes.mouth_actions(PHONES, FRAMES)
    assert at(values[:, INDEX["jawOpen"]], "aa") > 0.35
    assert at(values[:, INDEX["mouthPucker"]], "w") > 0.4
    assert at(values[:, INDEX["mouthPucker"]], "aa") < 0.1


def test_silence_is_still():
    values = visemes.mouth_actions(PHONES, FRAMES)
    assert np.abs(values[:2]).max() < 0.02
    assert np.abs(values[-15:]).max() < 0.01
    pause = values[int(1.85 * 25) : int(2.08 * 25)]
    assert np.abs(pause).max() < 0.02


def test_a_neighbour_colours_a_consonant():
    def pucker(vowel):
        return visemes.mouth_actions([("pau", 0, 0.3), ("t", 0.3, 0.4), (vowel, 0.4, 0.6), ("pau", 0.6, 1)], 25)[9, INDEX["mouthPucker"]]

    assert pucker("uw") > pucker("iy") + 0.05


def test_articulation_scales_opening_but_keeps_closures():
    weak, strong = (visemes.lip_aperture(PHONES, FRAMES, a) for a in (0.8, 1.2))
    assert at(strong, "aa") > at(weak, "aa") + 0.1
    assert at(strong, "m") < 0.02


def test_marks_lend_their_time_and_gaps_are_silence():
    plain = visemes.mouth_actions([("a", 0.2, 0.5)], 25)
    marked = visemes.mouth_actions([("ˈ", 0.2, 0.2), ("a", 0.2, 0.4), ("ː", 0.4, 0.5)], 25)
    assert np.allclose(plain, marked, atol=0.05)
    assert not visemes.mouth_actions([], 10).any()


def test_same_phones_in_another_alphabet_look_alike():
    arpa = visemes.lip_aperture([("SIL", 0, 0.3), ("M", 0.3, 0.4), ("AA1", 0.4, 0.6), ("SIL", 0.6, 1)], 25)
    ipa = visemes.lip_aperture([("_", 0, 0.3), ("m", 0.3, 0.4), ("ɑː", 0.4, 0.6), (".", 0.6, 1)], 25)
    assert np.allclose(arpa, ipa, atol=0.02)
