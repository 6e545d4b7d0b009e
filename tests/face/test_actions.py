from instructavatar.face import actions
from instructavatar.face.motion import ACTIONS


def test_every_action_is_in_one_group_and_described() -> None:
    grouped = [name for names in actions.GROUPS.values() for name in names]
    assert sorted(grouped) == sorted(ACTIONS)
    assert set(actions.LOOKS) == set(ACTIONS)
    assert actions.group_of("eyeLookUpLeft") == "gaze"
    assert actions.group_of("tongueOut") == "tongue"


def test_pairs_are_left_then_right() -> None:
    assert len(actions.PAIRS) == 20
    assert ("eyeBlinkLeft", "eyeBlinkRight") in actions.PAIRS
    assert ("jawLeft", "jawRight") in actions.PAIRS
    assert all("Left" in left and left.replace("Left", "Right") == right for left, right in actions.PAIRS)


def test_readable_actions_come_in_pairs_and_leave_out_what_never_fires() -> None:
    readable = set(actions.READABLE)
    assert len(actions.READABLE) == 38
    assert all((left in readable) == (right in readable) for left, right in actions.PAIRS)
    assert {"jawOpen", "mouthSmileLeft", "browInnerUp", "eyeBlinkRight"} <= readable
    assert readable.isdisjoint({"cheekPuff", "tongueOut", "noseSneerLeft", "jawForward"})
    assert readable | actions.UNREADABLE == set(ACTIONS)


def test_readable_keeps_the_order_of_arkit() -> None:
    assert list(actions.READABLE) == [name for name in ACTIONS if name in set(actions.READABLE)]
