"""Cores of single movements of mouth, brows and eyes.

Sided kinds are written for the left; the right is the same with the words exchanged.
"""

from __future__ import annotations

from instructavatar.prepare.wordings.forms import Forms, forms

MOUTH_FORMS: dict[str, Forms] = {
    "grin": forms(
        do="""grin; grin at the camera; give a grin; flash a grin; put on a grin; grin cheekily; grin mischievously; break into a grin
            give me a grin""",
        noun="a grin; a cheeky grin; a mischievous grin; a quick grin; a friendly grin",
        raw="grinning; grin please; cheeky grin; grinning face",
    ),
    "laugh": forms(
        do="""laugh; laugh out loud; burst out laughing; laugh heartily; crack up; giggle; chuckle; have a good laugh; laugh at a joke
            start laughing; laugh as if you heard a great joke; laugh hard; laugh happily; howl with laughter; roar with laughter""",
        noun="a laugh; a hearty laugh; a big laugh; a giggle; a chuckle; a burst of laughter",
        raw="laugh; laughing; lol; haha; hahaha; laughter; giggle; chuckle; laughing face",
    ),
    "frown_mouth": forms(
        do="""turn the corners of your mouth down; pull the corners of your mouth down; lower the corners of your mouth
            draw your mouth corners down; drop the corners of your lips; make an upside-down smile; turn your mouth down
            bend your mouth downward; let the corners of your mouth sink""",
        noun="an upside-down smile; a downturned mouth; drooping mouth corners; a turned-down mouth",
        raw="""mouth corners down; lip corners down; downturned mouth; upside-down smile; mouth turned down; inverted smile
            corners of the mouth down""",
    ),
    "open_mouth_wide": forms(
        do="""open your mouth wide; open wide; open your mouth as wide as you can; open your mouth very wide; open your mouth widely
            drop your jaw all the way; open your mouth fully; open your mouth really wide; stretch your mouth wide open
            open your jaw as far as you can; let your jaw drop to the floor; open up wide; open your mouth as far as possible
            scream silently; pretend to scream; open your mouth completely""",
        noun="a wide open mouth; a mouth that is wide open; a fully open mouth; a silent scream",
        raw="""mouth wide open; open mouth wide; wide open mouth; open wide please; jaw all the way down; mouth fully open
            please open mouth wide; silent scream""",
    ),
    "close_mouth": forms(
        do="""close your mouth; shut your mouth; keep your mouth closed; keep your mouth shut; close your lips
            keep your lips together; bring your lips together; keep your lips closed; keep quiet; hold your mouth closed
            put your lips together; be quiet; stop talking""",
        noun="a closed mouth; closed lips; a shut mouth",
        raw="""mouth closed; closed mouth; close mouth; mouth shut; lips together; lips closed; shut your mouth please
            with your mouth closed""",
    ),
    "pucker": forms(
        do="""pucker your lips; pucker up; purse your lips; blow a kiss; kiss; give a kiss; make a kissing face; make a kiss mouth
            give me a kiss; make duck lips; make a duck face; push your lips out; push your lips forward; kiss the camera
            pout your lips for a kiss; send a kiss; form a kiss with your lips; whistle; make your lips round and small
            stick your lips out; pretend to kiss someone; pretend to whistle""",
        noun="a kiss; a kissy face; puckered lips; pursed lips; duck lips; a duck face; an air kiss; a kiss mouth",
        raw="""pucker; kiss; kissy face; duck face; pursed lips; puckered lips; lips puckered; duck lips; mwah; kissing; pucker lips
            :*; pucker mouth""",
    ),
    "funnel": forms(
        do="""make an o with your mouth; form an o with your lips; round your lips; say ooh; make your mouth round
            shape your lips like the letter o; make a round mouth; shape your mouth into an o; say oh
            form a round shape with your mouth""",
        noun="a round mouth; an o-shaped mouth; rounded lips; a funnel with the lips",
        raw="round lips; o mouth; mouth like an o; rounded lips; o-shaped mouth; ooh; lips in an o",
    ),
    "puff_cheeks": forms(
        do="""puff your cheeks; puff out your cheeks; puff up your cheeks; blow up your cheeks; blow out your cheeks
            inflate your cheeks; fill your cheeks with air; hold air in your cheeks; balloon your cheeks; make chubby cheeks
            swell your cheeks; make a blowfish face; make your cheeks round with air""",
        noun="puffed cheeks; inflated cheeks; full cheeks; puffy cheeks; a blowfish face; cheeks full of air",
        raw="""puff cheeks; cheeks puffed; cheek puff; puffed cheeks; cheeks full of air; inflated cheeks; cheeks blown out
            hamster cheeks; puffy cheeks""",
    ),
    "tongue_out": forms(
        do="""stick out your tongue; stick your tongue out; put your tongue out; show your tongue; poke out your tongue
            poke your tongue out; let your tongue hang out; extend your tongue; show me your tongue; stick your tongue out at me
            push your tongue out; loll your tongue out; let your tongue out; show your tongue to the doctor""",
        noun="a tongue out; a tongue sticking out; an outstretched tongue",
        raw="tongue out; tongue; stick tongue out; tongue sticking out; with your tongue out; :P; tongue show; bleh; tongue shown",
    ),
    "press_lips": forms(
        do="""press your lips together; press your lips; squeeze your lips together; clamp your lips shut; tighten your lips
            press your mouth shut; press your lips firmly together; make your lips thin; compress your lips; seal your lips
            hold your lips tight; keep your lips pressed together""",
        noun="pressed lips; tight lips; a tight-lipped mouth; thin lips; compressed lips; sealed lips",
        raw="""press lips; lips pressed; lips tight; pressed lips; tight lips; tight-lipped; lips pressed together; lip press
            sealed lips; lips sealed""",
    ),
    "bite_lip": forms(
        do="""bite your lip; bite your lower lip; bite your bottom lip; bite on your lip; chew your lower lip
            put your teeth on your lower lip; nibble your lip; bite down on your lower lip; catch your lower lip with your teeth
            sink your teeth into your lower lip""",
        noun="a bite of the lip; a lip bite; a bitten lip; teeth on the lower lip",
        raw="lip bite; bite lip; biting lip; bite lower lip; lower lip bitten; lip biting; teeth on lip; bitten lower lip",
    ),
    "roll_lips": forms(
        do="""roll your lips in; roll your lips inward; roll in your lips; tuck in your lips; suck in your lips; fold your lips inward
            hide your lips; pull your lips in; draw your lips into your mouth; suck your lips into your mouth
            fold your lips over your teeth; make your lips disappear""",
        noun="rolled-in lips; sucked-in lips; hidden lips; tucked-in lips",
        raw="lips rolled in; roll lips in; lips in; lips sucked in; lip suck; lips tucked in; rolled lips; hidden lips",
    ),
    "pout": forms(
        do="""pout; pout your lips; pout like a child; make a pouty face; stick out your lower lip; push out your bottom lip
            pout sulkily; make a pout; jut out your lower lip""",
        be="pouty",
        noun="a pout; a pouty face; a pouting mouth; a sulky pout; a pouty look; puppy lips",
        raw="pout; pouting; pouty face; pouting face; lower lip out; bottom lip out; pouty lips; sulky pout",
    ),
    "show_teeth": forms(
        do="""show your teeth; bare your teeth; show me your teeth; expose your teeth; let me see your teeth; flash your teeth
            clench your teeth; grit your teeth; snarl; show your teeth to the dentist; let your teeth show; show both rows of teeth
            pull back your lips; uncover your teeth""",
        noun="bared teeth; clenched teeth; a snarl; a view of your teeth; gritted teeth",
        raw="show teeth; teeth showing; teeth; bared teeth; bare teeth; clenched teeth; teeth visible; snarl; showing teeth",
    ),
    "yawn": forms(
        do="""yawn; give a yawn; yawn widely; let out a yawn; yawn sleepily; yawn with your mouth wide open; yawn deeply
            pretend to yawn; yawn as if you were bored""",
        noun="a yawn; a big yawn; a deep yawn; a long yawn; a sleepy yawn",
        raw="yawn; yawning; big yawn; yawning face; sleepy yawn; yaaawn",
    ),
    "smirk_left": forms(
        do="""smirk to the left; smirk with the left side of your mouth; smile on the left side only
            raise the left corner of your mouth; lift your left mouth corner; smile with the left side of your mouth
            pull up the left corner of your mouth; give a left-sided smirk; curl the left corner of your lips up
            give a lopsided smile to the left; give a half smile on the left; put on a crooked smile on the left side""",
        noun="""a left smirk; a left-sided smirk; a smirk on the left; a half smile on the left; a lopsided smile on the left
            a left half smile""",
        raw="""left smirk; smirk left; smirk on the left side; left lip corner up; left mouth corner up; left half smile
            mouth smile left; left lip corner puller""",
    ),
    "mouth_left": forms(
        do="""move your mouth to the left; shift your mouth to the left; pull your mouth to the left; slide your mouth left
            twist your mouth to the left; move your lips to the left; bring your mouth to the left side; push your lips to the left
            move your mouth left; skew your mouth to the left; shift your lips left""",
        noun="a mouth shifted to the left; lips pulled to the left; a mouth twist to the left",
        raw="""mouth left; mouth to the left; lips left; lips to the left; mouth shifted left; mouth twisted left; left mouth shift
            mouth moved left""",
    ),
    "jaw_left": forms(
        do="""move your jaw to the left; shift your jaw to the left; slide your jaw left; push your jaw to the left
            move your chin to the left; move your jaw left; slide your lower jaw to the left; shift your chin left
            bring your jaw to the left side; move your lower jaw left""",
        noun="a jaw shift to the left; a jaw moved to the left; a sideways jaw on the left",
        raw="jaw left; jaw to the left; jaw sideways left; chin left; jaw shifted left; chin to the left; lower jaw left; left jaw shift",
    ),
}

BROW_FORMS: dict[str, Forms] = {
    "inner_brows": forms(
        do="""raise your inner brows; raise the inner corners of your eyebrows; lift your inner eyebrows
            pull the inner ends of your eyebrows up; lift the middle of your brows; make pleading eyebrows
            raise the inside of your eyebrows; slant your eyebrows up in the middle; make sad eyebrows
            raise the middle of your eyebrows; bring the inner parts of your brows up""",
        noun="raised inner brows; pleading eyebrows; an inner brow raise; slanted sad eyebrows; puppy eyebrows",
        raw="""inner brows up; inner brow raise; AU1; inner eyebrows up; pleading eyebrows; AU1 inner brow raiser; sad eyebrows
            puppy dog eyebrows""",
    ),
    "lower_brows": forms(
        do="""lower your eyebrows; lower your brows; knit your brows; knit your eyebrows; furrow your brow; furrow your brows
            draw your eyebrows together; pull your eyebrows down; bring your eyebrows down; frown with your eyebrows
            wrinkle your brow; crease your brow; push your eyebrows down; move your eyebrows down; contract your brows
            draw your brows down; squeeze your eyebrows together; frown; frown at me; frown at the camera; pull your brows together
            drop your eyebrows; scrunch your eyebrows; move your brows downward; bring your brows together""",
        noun="""a frown; lowered eyebrows; furrowed brows; knitted brows; a furrowed brow; a brow furrow; knitted eyebrows
            a wrinkled brow; contracted brows""",
        raw="""frown; eyebrows down; brows down; brow lowerer; AU4; furrowed brow; frowning; knitted brows; eyebrows lowered
            brows together; lowered brows; brow furrow; eyebrows together; frowning face; AU4 brow lowerer; lower eyebrows""",
    ),
    "flash_brows": forms(
        do="""wiggle your eyebrows; waggle your eyebrows; move your eyebrows up and down; raise your eyebrows repeatedly
            bounce your eyebrows; flash your eyebrows; raise and ~lower your eyebrows; make your eyebrows dance
            lift your eyebrows up and down; flick your eyebrows up""",
        noun="an eyebrow flash; an eyebrow wiggle; a waggle of the eyebrows; dancing eyebrows",
        raw="eyebrow wiggle; wiggle eyebrows; eyebrows up and down; brow flash; waggling eyebrows; eyebrow flash; bouncing eyebrows",
    ),
    "raise_brow_left": forms(
        do="""raise your left eyebrow; raise your left brow; lift your left eyebrow; lift only your left eyebrow
            raise just your left eyebrow; arch your left eyebrow; move your left eyebrow up; cock your left eyebrow
            raise the left eyebrow only; push up your left brow; keep your left eyebrow raised; hike your left eyebrow""",
        noun="a raised left eyebrow; a left eyebrow raise; a lifted left brow; an arched left brow; a left brow raise",
        raw="""left eyebrow up; left brow up; left eyebrow raise; left brow raise; raise left eyebrow; left eyebrow raised
            left eyebrow only; lift left brow""",
    ),
}

EYE_FORMS: dict[str, Forms] = {
    "half_close_eyes": forms(
        do="""half close your eyes; close your eyes halfway; lower your eyelids halfway; let your eyelids droop; droop your eyelids
            make sleepy eyes; close your eyes a little; keep your eyes half closed; keep your eyes half open; let your lids hang heavy""",
        noun="half-closed eyes; drooping eyelids; heavy eyelids; sleepy eyes; half-open eyes; hooded eyes; droopy eyes",
        raw="eyes half closed; half-closed eyes; droopy eyes; sleepy eyes; heavy lids; eyes half open; drooping lids; lids half down",
    ),
    "wide_eyes": forms(
        do="""open your eyes wide; widen your eyes; open your eyes; open your eyes as wide as you can; make big eyes
            make your eyes big; keep your eyes wide open; open both eyes wide; stare with wide eyes; pop your eyes; bulge your eyes
            bug out your eyes; stretch your eyes open; raise your upper eyelids; lift your upper lids; keep your eyes open
            open your eyelids wide; go wide-eyed""",
        be="wide-eyed",
        noun="wide eyes; wide open eyes; big eyes; a wide-eyed look; a wide-eyed stare; widened eyes; bulging eyes",
        raw="""eyes wide; wide eyes; eyes wide open; big eyes; eyes open; open eyes; wide-eyed; widen eyes; upper lid raiser; AU5
            with wide eyes; eyes opened wide""",
    ),
    "squint": forms(
        do="""squint; squint your eyes; narrow your eyes; squint at the camera; tighten your eyelids; make your eyes small
            peer with narrowed eyes; squint as if the sun is bright; squint into the sun; squint at something far away
            scrunch your eyes; narrow your gaze; screw up your eyes; squint as if you cannot see well; pinch your eyes
            squeeze your eyes a little""",
        be="squinty-eyed",
        noun="a squint; narrowed eyes; squinting eyes; squinty eyes; small eyes; narrow eyes; slitted eyes",
        raw="squint; squinting; narrow eyes; eyes narrowed; squint eyes; squinty eyes; lid tightener; AU7; narrowed eyes; eye squint",
    ),
    "blink": forms(
        do="""blink; blink your eyes; blink both eyes; bat your eyelashes; flutter your eyelids; close and ~open your eyes
            open and ~close your eyes; bat your lashes; blink at the camera; blink at me; flap your eyelids; flutter your lashes""",
        noun="a blink; blinks; a blink of the eyes; an eye blink",
        raw="blink; blinking; eye blink; blink eyes; blinks; eyes blinking; blink blink",
    ),
    "roll_eyes": forms(
        do="""roll your eyes; do an eye roll; give an eye roll; roll your eyes at me; roll your eyes in annoyance; roll your eyeballs
            circle your eyes; roll your eyes around; move your eyes in a circle; roll your eyes like a teenager
            roll your eyes upward in annoyance; spin your eyes around""",
        noun="an eye roll; a roll of the eyes; an annoyed eye roll",
        raw="eye roll; roll eyes; rolling eyes; eyes rolling; rolling your eyes; eyeroll; eye rolling; eyes in a circle",
    ),
    "eyes_up": forms(
        do="""look up with your eyes; look up with your eyes only; move your eyes up; raise your eyes without moving your head
            move only your eyes up; look up with just your eyes; turn your eyes up; point your eyes up; shift your eyes up
            look up but ~keep your head still""",
        noun="eyes that look up; an upward glance with the eyes only",
        raw="eyes up; eyes looking up; eye gaze up; only the eyes up; eyes upward; eyeballs up; eyes up, head still",
    ),
    "eyes_down": forms(
        do="""look down with your eyes; look down with your eyes only; move your eyes down; lower your eyes; drop your eyes
            move only your eyes down; look down with just your eyes; cast your eyes down; turn your eyes down; shift your eyes down
            look down but ~keep your head still""",
        noun="eyes that look down; a downward glance with the eyes only; downcast eyes; lowered eyes",
        raw="""eyes down; eyes looking down; eye gaze down; only the eyes down; eyes downward; downcast eyes; eyes lowered
            eyes down, head still""",
    ),
    "look_camera": forms(
        do="""look at the camera; look straight ahead; look at me; look into the camera; look into the lens; face the camera
            look forward; face forward; look ahead; keep eye contact; make eye contact; keep looking at the camera
            stare into the camera; fix your gaze on the camera; face me; hold eye contact""",
        noun="eye contact; a look into the camera; a straight look; a steady gaze",
        raw="""look straight; straight ahead; eye contact; facing forward; eyes on the camera; look at camera; face front; eyes front
            front; center; look straight ahead please""",
    ),
    "eyes_left": forms(
        do="""look left with your eyes; look to the left with your eyes only; move your eyes to the left; move your eyes left
            shift your eyes to the left; glance left; glance to the left; move only your eyes to the left; turn your eyes to the left
            slide your eyes to the left; point your eyes left; look left without moving your head
            look to the left but ~keep your head still; peek to the left; cast your eyes to the left; look left with just your eyes
            dart your eyes left; give a side glance to the left""",
        noun="a glance to the left; a side glance to the left; eyes to the left; a sidelong look to the left",
        raw="""eyes left; eyes to the left; glance left; eye gaze left; eyes looking left; only eyes left; side glance left
            eyes left, head still""",
    ),
    "wink_left": forms(
        do="""wink your left eye; wink with your left eye; give a wink with your left eye; wink with the left eye
            wink at me with your left eye; blink your left eye only; wink left; do a left wink; wink on the left
            give me a wink with the left eye; wink the left eye at the camera""",
        noun="a wink with the left eye; a left wink; a left eye wink; a wink of the left eye",
        raw="""left wink; wink left; left eye wink; wink left eye; winking left eye; wink (left eye); winking with the left eye
            left-eye wink""",
    ),
    "close_eye_left": forms(
        do="""close your left eye; shut your left eye; keep your left eye closed; close only your left eye; hold your left eye shut
            close just the left eye; lower your left eyelid; keep the left eye shut; close the left eye; shut only the left eye""",
        noun="a closed left eye; a shut left eye; a left eye that stays closed",
        raw="""left eye closed; left eye shut; close left eye; left eye only closed; left eyelid down; shut left eye; eye blink left
            left eye closed, other open""",
    ),
}

# Requests that leave the side to the actor: either would do, so the corpus always shows the left one and the model learns one answer.
EITHER_FORMS: dict[str, Forms] = {
    "wink_left": forms(
        do="wink; wink at me; give a wink; wink at the camera; wink one eye; give me a wink", noun="a wink", raw="wink; winking; ;)"
    ),
    "raise_brow_left": forms(
        do="""raise one eyebrow; raise an eyebrow; lift one eyebrow; cock an eyebrow; arch one eyebrow; raise a single eyebrow
            quirk an eyebrow""",
        noun="one raised eyebrow; a raised eyebrow",
        raw="one eyebrow up; one brow raised; one eyebrow raised",
    ),
    "smirk_left": forms(
        do="""smirk; give a smirk; smile on one side; smirk at the camera; give a half smile; give a crooked smile; put on a smirk
            give a lopsided smile""",
        be="smug",
        noun="a smirk; a half smile; a crooked smile; a lopsided smile; a smug smile; a sly smile",
        raw="smirk; smirking; half smile; crooked smile; smug; sly smile; one-sided smile",
    ),
}
