"""Cores of the kinds that people ask for most."""

from __future__ import annotations

from instructavatar.prepare.wordings.forms import Forms, forms

MAIN_FORMS: dict[str, Forms] = {
    "smile": forms(
        do="""smile; smile for me; smile at the camera; smile softly; smile warmly; smile gently; smile naturally; smile politely
            smile with your lips closed; smile at me; smile with your mouth closed; smile with closed lips; put on a smile
            wear a smile; show a smile; give a smile; give us a smile; give me a smile; let yourself smile; crack a smile
            flash a smile; let a smile appear on your face; break into a smile; start to smile; curl your lips into a smile
            curl the corners of your mouth up; lift the corners of your mouth; pull the corners of your mouth up
            raise the corners of your lips; turn up the corners of your mouth; keep a smile on your face; keep smiling; say cheese
            smile for the photo; smile kindly; smile in a friendly way; offer a smile; form a smile with your lips; make a smile
            do a smile; smile at the viewer; smile pleasantly; have a smile on your face; let your lips curve upward""",
        noun="""a smile; a regular smile; a normal smile; a friendly smile; a warm smile; a gentle smile; a soft smile; a polite smile
            a pleasant smile; a kind smile; a natural smile; a closed-mouth smile; a smile on your face; a smiling face; a smiley face
            a simple smile; a nice smile; a sweet smile; an easy smile; a welcoming smile""",
        raw="""smile; smiling; smiley face; regular smile; soft smile; :); smile please; friendly smile; gentle smile; with a smile
            small friendly smile; talk with a smile; speak with a smile; with a smile on your face; mouth corners up; lip corners up
            smiling expression; a smile, please; gently smiling; softly smiling; warmly smiling; smiley""",
    ),
    "big_smile": forms(
        do="""smile broadly; smile widely; smile wide; smile from ear to ear; give a big smile; give me a big smile
            give us your biggest smile; smile big; smile as big as you can; smile as widely as you can; beam; beam with joy
            beam at the camera; put on a big smile; put on a broad smile; show a very large smile; show a huge smile
            show your biggest smile; smile with your teeth showing; smile with an open mouth; flash a toothy smile; flash a huge grin
            grin from ear to ear; grin broadly; grin widely; wear a big smile; wear a huge grin; break into a big smile
            break into a wide grin; smile so that your teeth show; smile and ~show your teeth; smile really hard; smile radiantly
            smile brightly; light up with a big smile; smile like you just won the lottery; let a huge smile spread across your face
            make a big smile; do a big smile; smile with your whole face; smile enormously; make your smile as big as possible
            smile the biggest smile you can""",
        noun="""a big smile; a very big smile; a large smile; a very large smile; a huge smile; a broad smile; a wide smile
            a beaming smile; a radiant smile; a bright smile; a toothy smile; a toothy grin; a big grin; a wide grin; a broad grin
            a huge grin; an ear-to-ear grin; an enormous smile; the biggest smile you can; your biggest smile; a giant smile
            a full smile; a big happy smile; a big wide smile; an open-mouthed smile""",
        raw="""big smile; very large smile; large smile; huge smile; broad smile; wide smile; big grin; beaming; :D; ear to ear
            toothy smile; really big smile; big big smile; bright smile; smile big; smile wider; bigger smile; biggest smile
            wide grin; smile with teeth; grinning from ear to ear; smiling broadly; smiling widely; smiling brightly; all smiles""",
    ),
    "raise_brows": forms(
        do="""raise your eyebrows; lift your eyebrows; raise your brows; lift your brows; raise both eyebrows
            raise both your eyebrows; lift both brows; move your eyebrows up; push your eyebrows up; pull your eyebrows up
            bring your eyebrows up; put your eyebrows up; arch your eyebrows; arch your brows; hike up your eyebrows
            elevate your eyebrows; elevate your brows; raise your eyebrows high; lift your eyebrows high; keep your eyebrows raised
            keep your brows up; hold your eyebrows up; shoot your eyebrows up; let your eyebrows rise; let your brows go up
            get your eyebrows up; wrinkle your forehead by lifting your brows; raise your eyebrows up; move both eyebrows upward
            move your brows upwards; draw your eyebrows upward; send your eyebrows upward; lift up your eyebrows; raise up your brows
            have your eyebrows raised""",
        noun="""a raise of the eyebrows; a brow raise; an eyebrow raise; raised eyebrows; raised brows; lifted eyebrows
            arched eyebrows; high eyebrows""",
        raw="""eyebrows up; brows up; eyebrow raise; brow raise; raised eyebrows; raised brows; eyebrows raised; brows raised
            eyebrows high; lift eyebrows; raise eyebrows; raise brows; with raised eyebrows; with your eyebrows raised
            with eyebrows lifted; inner and outer brow raiser; both brows up; inner brow raiser, outer brow raiser; AU1 and AU2
            AU 1+2; talk with raised eyebrows; eyebrows lifted""",
    ),
    "open_mouth": forms(
        do="""open your mouth; open up your mouth; open your jaw; open your lips and ~jaw; part your lips and ~drop your jaw
            drop your jaw; let your mouth open; let your jaw drop; let your mouth fall open; let your mouth hang open
            keep your mouth open; hold your mouth open; have your mouth open; get your mouth open; lower your jaw; move your jaw down
            move your lower jaw down; bring your jaw down; open the mouth; open your mouth as if to speak
            open your mouth as if to say ah; say ah; say aah; open your mouth for the dentist; gape; gape at the camera
            leave your mouth open; put your mouth in an open position; slacken your jaw; let your lower jaw fall; unclose your mouth
            make your mouth open; pull your jaw down; stay with your mouth open; open your mouth and ~hold it
            open your mouth and ~keep it open""",
        noun="an open mouth; a dropped jaw; an opening of the mouth; a jaw drop; a gaping mouth; an open jaw",
        raw="""open mouth; mouth open; jaw drop; jaw open; jaw down; with an open mouth; with your mouth open; mouth opened
            opening the mouth; open the mouth; mouth ajar; AU26 jaw drop; AU26; jaw dropped; open jaw; open your mouth please
            dropped jaw; slack jaw; mouth agape; agape""",
    ),
    "close_eyes": forms(
        do="""close your eyes; shut your eyes; close both eyes; shut both eyes; close both your eyes; keep your eyes closed
            keep your eyes shut; hold your eyes closed; lower your eyelids; close your eyelids; shut your eyelids; let your eyes close
            let your eyelids fall; let your eyes fall shut; bring your eyelids down; rest your eyes; have your eyes closed
            squeeze your eyes shut; close the eyes; close your eyes as if asleep; close your eyes as if sleeping; pretend to sleep
            pretend to be asleep; look asleep; be asleep; be fast asleep; fall asleep; sleep; go to sleep; close your eyes and ~relax
            close your eyes and ~keep them closed; shut your eyes tight; close your eyes tightly; drop your eyelids
            draw your eyelids shut; leave your eyes closed; close your eyes completely; close your eyes fully; take a nap; doze off
            cover your eyes with your lids; stop looking and ~close your eyes; let your lids drop; close your peepers""",
        noun="closed eyes; shut eyes; a sleeping face; a sleeping expression; eyes that are closed",
        raw="""eyes closed; eyes shut; closed eyes; close eyes; shut eyes; with eyes closed; with your eyes closed; with closed eyes
            eyelids down; lids down; eyelids closed; both eyes closed; asleep; sleeping; AU43; AU43 eyes closed; eye closure
            talk with your eyes closed; eyes fully closed""",
    ),
    "turn_left": forms(
        do="""turn your head left; turn your head to the left; turn left; turn to the left; turn to your left
            turn your head to your left; rotate your head left; rotate your head to the left; rotate your head to your left; face left
            face to the left; face the left side; face your left; turn your face left; turn your face to the left
            move your head to the left; move your head left; swivel your head to the left; swivel left; look over your left shoulder
            look past your left shoulder; turn towards your left shoulder; turn your head toward the left; twist your head to the left
            turn your head towards the left side; turn your head leftward; turn leftwards; turn your head to the left side
            pivot your head left; swing your head to the left; point your nose to the left; point your face to the left
            show your right cheek; turn your chin to the left; turn your chin toward your left shoulder
            bring your chin to your left shoulder; turn away to the left; turn your gaze and head left; direct your face to the left
            keep your head turned to the left; hold your head turned left; have your head turned left; turn your whole head left
            turn your head over to the left; crane your neck to the left; turn round to the left; turn your neck left
            rotate your neck to the left; yaw your head left; aim your head left; let your head turn left
            make a left turn with your head; orient your head to the left""",
        noun="""a left turn of the head; a head turn to the left; a turn of the head to the left; a turn to the left; a left turn
            a head rotation to the left; a rotation of the head to the left; a leftward turn of the head; a quarter turn to the left""",
        raw="""left turn; head left; turn left; head to the left; head turned left; turn head left; rotate head left; face left
            head rotation left; head turn left; facing left; turning left; turn head to the left; rotate head to the left
            with your head turned to the left; with the head turned left; to the left; left; head yaw left; turned to the left
            left side; leftward head turn; left head turn; yaw left; head rotated left; left please""",
    ),
    "look_up": forms(
        do="""look up; look upward; look upwards; look up at the ceiling; look up at the sky; look up to the sky; gaze up; gaze upward
            tilt your head up; tilt your head back and ~look up; tilt your face up; turn your face up; turn your head up
            lift your head and ~look up; raise your head and ~eyes; look above you; look above the camera; look toward the ceiling
            look to the ceiling; look at the sky; look at the ceiling; look at the stars; stare up; stare at the ceiling; face up
            face upward; face the ceiling; direct your gaze upward; point your face up; turn your eyes and head up
            raise your eyes to the sky; raise your eyes to the ceiling; glance up; peer up; peer upward; look overhead
            watch something above you; keep looking up; look high up; look up high; move your head up; pitch your head up
            look up above; cast your gaze upward""",
        noun="a look up; an upward look; a look at the sky; a look at the ceiling; an upward gaze; a glance up; a gaze toward the sky",
        raw="""look up; looking up; up; head up and eyes up; gaze up; facing up; eyes and head up; look upward; upward gaze; up please
            looking upward; looking at the ceiling; looking at the sky; face up; head tilted up; with your head tilted up
            talk while looking up; pitch up; head pitch up""",
    ),
    "look_down": forms(
        do="""look down; look downward; look downwards; look down at the floor; look down at the ground; look at the floor
            look at the ground; look at your feet; look at your shoes; gaze down; gaze downward; tilt your head down
            tilt your face down; turn your face down; turn your head down; lower your head and ~look down; lower your head and ~eyes
            lower your gaze and ~head; look below you; look below the camera; look toward the floor; stare down; stare at the floor
            stare at the ground; face down; face downward; face the floor; direct your gaze downward; point your face down
            drop your gaze to the floor; glance down; peer down; look at the table in front of you; look down at your phone
            look down at your hands; keep looking down; look far down; look low; move your head down; pitch your head down
            cast your gaze downward; look down to the floor; read something in your lap; look at your lap""",
        noun="""a look down; a downward look; a look at the floor; a look at the ground; a downward gaze; a glance down
            a gaze toward the floor""",
        raw="""look down; looking down; down; head down and eyes down; gaze down; facing down; eyes and head down; look downward
            downward gaze; down please; looking downward; looking at the floor; looking at the ground; face down; head tilted down
            with your head tilted down; talk while looking down; pitch down; head pitch down""",
    ),
    "nod": forms(
        do="""nod; nod your head; nod yes; nod in agreement; nod your head yes; nod your head up and down; nod in approval
            nod approvingly; nod to say yes; move your head up and down; shake your head up and down; bob your head
            bob your head up and down; say yes with your head; gesture yes with your head; give a nod; give me a nod; give a few nods
            agree by nodding; agree with a nod; confirm with a nod; signal yes by nodding; signal agreement with your head; nod along
            keep nodding; nod understandingly; nod as if you agree; nod as if you understand; nod to show that you agree
            show agreement by nodding; dip your head up and down; nod affirmatively; express agreement with a nod
            answer yes without words; acknowledge with a nod; approve with a nod; greet me with a nod; nod at the camera; nod to me
            nod in understanding; do a nod; indicate yes with your head; nod your head in agreement; show approval with a nod
            make a yes gesture with your head""",
        noun="""a nod; a nod of the head; a head nod; a yes nod; a nod of agreement; a nod of approval; an approving nod; a few nods
            an agreeing nod; an affirmative nod; a yes gesture; nods""",
        raw="""nod; nodding; head nod; nods; yes nod; nod yes; nod head; nod your head please; head up and down
            up and down with the head; head nodding; nodding yes; yes with the head; talk while nodding; nodding along
            nodding in agreement; nod nod; agreeing nod; nod of agreement""",
    ),
    "shake": forms(
        do="""shake your head; shake your head no; shake your head from side to side; shake your head side to side
            shake your head in disagreement; shake your head in disapproval; shake your head to say no; shake your head in refusal
            say no with your head; gesture no with your head; move your head from side to side; turn your head from side to side
            move your head left and right repeatedly; turn your head back and forth; swing your head from side to side
            wag your head from side to side; rotate your head back and forth; give a shake of the head; give a head shake
            refuse by shaking your head; disagree by shaking your head; deny it by shaking your head; signal no by shaking your head
            show disagreement by shaking your head; keep shaking your head; shake your head in denial; shake your head in disbelief
            shake your head negatively; disagree with your head; answer no without words; indicate no with your head; do a head shake
            express disagreement with a head shake; express no with your head; shake your head at me; shake your head as if to say no
            shake your head as if you disagree; make a no gesture with your head; waggle your head; decline with a shake of the head""",
        noun="""a head shake; a shake of the head; a no shake; a headshake; a disapproving head shake; a shake of the head in refusal
            a no gesture; a shaking of the head; a negative head shake""",
        raw="""shake head; shaking head; head shake; headshake; no shake; shaking your head; head side to side
            side to side with the head; shake your head no please; shaking no; no with the head; head shaking
            talk while shaking your head; shake head no; head left right left right; shaking the head; disagreeing head shake
            head back and forth; shake head side to side""",
    ),
}
