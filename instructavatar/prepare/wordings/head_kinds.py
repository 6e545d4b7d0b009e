"""Cores of head movements, and of keeping still. Sided kinds are written for the left."""

from __future__ import annotations

from instructavatar.prepare.wordings.forms import Forms, forms

HEAD_FORMS: dict[str, Forms] = {
    "raise_head": forms(
        do="""raise your head; lift your head; lift your chin; raise your chin; tilt your head back; tip your head back
            hold your head up; lean your head back; put your chin up; bring your head up; lift up your head; move your chin up
            tilt your chin up; throw your head back; point your chin up; stick your chin up""",
        noun="a raised head; a raised chin; a lift of the chin; a lifted chin; a head tilt backward",
        raw="""head up; chin up; raise head; head back; lift head; head raised; tilt head back; chin raised; chin lifted
            head tilted back; raised chin""",
    ),
    "lower_head": forms(
        do="""lower your head; bow your head; drop your head; lower your chin; drop your chin; hang your head; bend your head down
            tuck your chin; tilt your head forward; tip your head forward; bring your head down; bow; lower your chin to your chest
            let your head drop; put your head down; tuck in your chin; bring your chin down; tilt your chin down; let your head hang
            bend your head forward; duck your head""",
        noun="a lowered head; a bowed head; a bow; a bow of the head; a hanging head; a lowered chin; a head tilt forward",
        raw="""head down; chin down; lower head; head bowed; bow; head lowered; tilt head forward; chin lowered; chin tucked
            bowed head; head tilted forward""",
    ),
    "lean_forward": forms(
        do="""lean forward; lean in; lean closer; come closer; move closer; move your head forward; lean towards me
            lean toward the camera; move closer to the camera; bring your face closer; come closer to the camera
            push your head forward; lean in close; get closer; move toward me; bend toward the camera""",
        noun="a lean forward; a lean toward the camera; a movement closer; a forward lean",
        raw="""lean forward; lean in; closer; come closer please; head forward; leaning forward; leaning in; forward
            closer to the camera; move in""",
    ),
    "lean_back": forms(
        do="""lean back; lean backward; move back; move away from the camera; pull your head back; move your head back; back away
            lean away; step back; draw back; lean backwards; move farther away; pull back; recoil; retreat from the camera
            bring your face further away""",
        noun="a lean back; a lean away from the camera; a movement backward; a backward lean",
        raw="""lean back; lean backward; back; farther away; head backward; leaning back; leaning away; further away; move away
            pulling back; backwards""",
    ),
    "tilt_left": forms(
        do="""tilt your head left; tilt your head to the left; tilt your head to your left; tilt left; lean your head to the left
            tip your head to the left; cock your head to the left; bend your head to the left; bring your left ear to your shoulder
            tilt your head toward your left shoulder; drop your left ear toward your shoulder; incline your head to the left
            lean your head on your left shoulder; roll your head to the left; tilt your head sideways to the left
            lay your head on your left shoulder; lean your head left; lower your left ear; tip your head left
            bend your neck to the left""",
        noun="""a tilt of the head to the left; a left head tilt; a head tilt to the left; a tilt to the left
            a lean of the head to the left""",
        raw="""tilt left; head tilt left; left head tilt; tilt head left; head tilted left; head tilted to the left; lean head left
            left ear down; roll left; head roll left; tilt to the left""",
    ),
    "look_left": forms(
        do="""look left; look to the left; look to your left; look off to the left; gaze left; look at something on your left
            look to the left side; look over to the left; watch something on your left; stare to the left
            look at the person on your left; look leftward; look out to the left; gaze to the left side; gaze off to the left
            keep looking left; turn to look left; look towards the left; look leftwards; check your left side; look at the left wall
            look out the left window""",
        noun="a look to the left; a look left; a leftward look; a look at something on the left",
        raw="""look left; looking left; look to the left; looking to the left; look on the left; talk while looking left
            look left please; leftward look""",
    ),
    "still_head": forms(
        do="""keep your head still; hold your head still; keep still; stay still; hold still; freeze; keep your head steady
            stop moving your head; keep your head motionless; keep your head straight and still; remain still; stay motionless
            hold your head steady""",
        noun="a still head; no head movement; a motionless head; a steady head",
        raw="""don't move your head; do not move your head; don't move; do not move; head still; no head motion; no head movement
            without moving your head; still head; steady head; no movement; motionless; static head; without head motion""",
    ),
}
