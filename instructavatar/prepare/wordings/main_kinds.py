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
            do a smile; smile at the viewer; smile pleasantly; have a smile on your face; let your lips curve upward
            give the viewer a smile; let me see your smile; hold a smile; greet me with a smile; show me your smile; smile calmly
            smile sweetly; look friendly and ~smile; let your mouth smile; bring a smile to your face; share a smile with us
            smile in the direction of the camera; offer the camera a smile; put a smile on your face; draw your lips into a smile
            shape your lips into a smile; smile back at me""",
        noun="""a smile; a regular smile; a normal smile; a friendly smile; a warm smile; a gentle smile; a soft smile; a polite smile
            a pleasant smile; a kind smile; a natural smile; a closed-mouth smile; a smile on your face; a smiling face; a smiley face
            a simple smile; a nice smile; a sweet smile; an easy smile; a welcoming smile; a little curve of the lips; a calm smile
            a quiet smile; a kindly smile; your smile; a charming smile; an amiable smile""",
        raw="""smile; smiling; smiley face; regular smile; soft smile; :); smile please; friendly smile; gentle smile; with a smile
            small friendly smile; talk with a smile; speak with a smile; with a smile on your face; mouth corners up; lip corners up
            smiling expression; a smile, please; gently smiling; softly smiling; warmly smiling; smiley; smile now; just a smile
            person smiling; a person smiling; smiling gently; smiling softly; expression: smile; smile expression; smiling mouth
            lips curved up; closed-lip smile; warm smile; action: smile""",
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
            smile the biggest smile you can; smile with all your teeth; put on your biggest smile; grin as wide as possible
            grin like a Cheshire cat; show all your teeth in a smile; grin with all your teeth; spread your lips into a huge smile
            smile very widely; smile extremely wide; give the camera a huge smile; smile so hard that your cheeks hurt
            give your widest smile; crack a huge smile; sport a massive grin; let me see your biggest grin
            smile as brightly as you can""",
        noun="""a big smile; a very big smile; a large smile; a very large smile; a huge smile; a broad smile; a wide smile
            a beaming smile; a radiant smile; a bright smile; a toothy smile; a toothy grin; a big grin; a wide grin; a broad grin
            a huge grin; an ear-to-ear grin; an enormous smile; the biggest smile you can; your biggest smile; a giant smile
            a full smile; a big happy smile; a big wide smile; an open-mouthed smile; a massive smile; a massive grin
            a gigantic smile; a dazzling smile; a brilliant smile; a grin from ear to ear; your widest grin; a very broad smile
            a really wide smile; a teeth-baring smile; the widest grin""",
        raw="""big smile; very large smile; large smile; huge smile; broad smile; wide smile; big grin; beaming; :D; ear to ear
            toothy smile; really big smile; big big smile; bright smile; smile big; smile wider; bigger smile; biggest smile
            wide grin; smile with teeth; grinning from ear to ear; smiling broadly; smiling widely; smiling brightly; all smiles
            huge grin; massive smile; enormous smile; person with a big smile; expression: big smile; smiling from ear to ear
            the biggest smile; dazzling smile; beaming face; beaming smile; very big smile; a very wide smile; smile a lot wider
            full smile showing teeth; grin widely""",
    ),
    "raise_brows": forms(
        do="""raise your eyebrows; lift your eyebrows; raise your brows; lift your brows; raise both eyebrows
            raise both your eyebrows; lift both brows; move your eyebrows up; push your eyebrows up; pull your eyebrows up
            bring your eyebrows up; put your eyebrows up; arch your eyebrows; arch your brows; hike up your eyebrows
            elevate your eyebrows; elevate your brows; raise your eyebrows high; lift your eyebrows high; keep your eyebrows raised
            keep your brows up; hold your eyebrows up; shoot your eyebrows up; let your eyebrows rise; let your brows go up
            get your eyebrows up; wrinkle your forehead by lifting your brows; raise your eyebrows up; move both eyebrows upward
            move your brows upwards; draw your eyebrows upward; send your eyebrows upward; lift up your eyebrows; raise up your brows
            have your eyebrows raised; raise your eyebrows toward your hairline; lift those eyebrows; raise those brows
            pop your eyebrows up; raise your eyebrows in question; raise your eyebrows as if asking a question
            raise your eyebrows in interest; lift your brows toward your forehead; bring both brows higher; heighten your brows
            jack up your eyebrows; show me your eyebrows going up; make your forehead wrinkle by raising your brows
            slide your eyebrows upward; have both eyebrows go up; throw your eyebrows up; raise the brows""",
        noun="""a raise of the eyebrows; a brow raise; an eyebrow raise; raised eyebrows; raised brows; lifted eyebrows
            arched eyebrows; high eyebrows""",
        raw="""eyebrows up; brows up; eyebrow raise; brow raise; raised eyebrows; raised brows; eyebrows raised; brows raised
            eyebrows high; lift eyebrows; raise eyebrows; raise brows; with raised eyebrows; with your eyebrows raised
            with eyebrows lifted; inner and outer brow raiser; both brows up; inner brow raiser, outer brow raiser; AU1 and AU2
            AU 1+2; talk with raised eyebrows; eyebrows lifted; both eyebrows raised; upward eyebrows; eyebrows go up
            raising eyebrows; raising the brows; brow lift; eyebrow lift; elevated brows; eyebrows arched; brows arched; high brows
            person raising eyebrows; brows to the hairline; eyebrows moving up; lift brows; raising both eyebrows""",
    ),
    "open_mouth": forms(
        do="""open your mouth; open up your mouth; open your jaw; open your lips and jaw; part your lips and ~drop your jaw
            drop your jaw; let your mouth open; let your jaw drop; let your mouth fall open; let your mouth hang open
            keep your mouth open; hold your mouth open; have your mouth open; get your mouth open; lower your jaw; move your jaw down
            move your lower jaw down; bring your jaw down; open the mouth; open your mouth as if to speak
            open your mouth as if to say ah; say ah; say aah; open your mouth for the dentist; gape; gape at the camera
            leave your mouth open; put your mouth in an open position; slacken your jaw; let your lower jaw fall; unclose your mouth
            make your mouth open; pull your jaw down; stay with your mouth open; open your mouth and ~hold it
            open your mouth and ~keep it open; let your mouth drop open; open that mouth; part your jaws; spread your jaws
            bring your lips apart and ~lower your jaw; let your chin drop; drop your chin and ~open your mouth; let your jaw hang
            let your jaw go slack; open your mouth like a fish; open your mouth as if to take a bite
            open your mouth like you want to eat an apple; open your mouth for a spoon; unhinge your jaw
            show the inside of your mouth; let me look into your mouth; move your jaw open; have your jaw hang open
            make an ah shape with your mouth""",
        noun="an open mouth; a dropped jaw; an opening of the mouth; a jaw drop; a gaping mouth; an open jaw",
        raw="""open mouth; mouth open; jaw drop; jaw open; jaw down; with an open mouth; with your mouth open; mouth opened
            opening the mouth; open the mouth; mouth ajar; AU26 jaw drop; AU26; jaw dropped; open jaw; open your mouth please
            dropped jaw; slack jaw; mouth agape; agape; mouth hanging open; jaw lowered; lower jaw down; person with open mouth
            mouth is open; lips apart, jaw down; mouth gaping; gaping; opened jaw; jaw hanging; opening your mouth; ah
            open lips and jaw; say aaah; mouth in open position""",
    ),
    "close_eyes": forms(
        do="""close your eyes; shut your eyes; close both eyes; shut both eyes; close both your eyes; keep your eyes closed
            keep your eyes shut; hold your eyes closed; lower your eyelids; close your eyelids; shut your eyelids; let your eyes close
            let your eyelids fall; let your eyes fall shut; bring your eyelids down; rest your eyes; have your eyes closed
            squeeze your eyes shut; close the eyes; close your eyes as if asleep; close your eyes as if sleeping; pretend to sleep
            pretend to be asleep; look asleep; be asleep; be fast asleep; fall asleep; sleep; go to sleep; close your eyes and ~relax
            close your eyes and ~keep them closed; shut your eyes tight; close your eyes tightly; drop your eyelids
            draw your eyelids shut; leave your eyes closed; close your eyes completely; close your eyes fully; take a nap; doze off
            cover your eyes with your lids; stop looking and ~close your eyes; let your lids drop; close your peepers; shut those eyes
            close those eyes; pull your eyelids down; bring your eyelids together; seal your eyes; keep both eyes closed
            hold both eyes shut; let your eyes shut; close your eyes and ~listen; close your eyes for a while
            close your eyes as if meditating; meditate with closed eyes; pretend you are sleeping
            imagine you are asleep with your eyes closed; clamp your eyes shut; have both eyes shut; let both lids fall
            do not look, ~keep your eyes shut; dream with your eyes closed; rest with closed eyes""",
        noun="closed eyes; shut eyes; a sleeping face; a sleeping expression; eyes that are closed",
        raw="""eyes closed; eyes shut; closed eyes; close eyes; shut eyes; with eyes closed; with your eyes closed; with closed eyes
            eyelids down; lids down; eyelids closed; both eyes closed; asleep; sleeping; AU43; AU43 eyes closed; eye closure
            talk with your eyes closed; eyes fully closed; both eyes shut; shut both eyes; eyes are closed; person with closed eyes
            lids closed; lids shut; closed eyelids; eyes in closed position; closing the eyes; closing both eyes; eyes sealed
            sleeping face; meditating; sleepy with closed eyes; keep eyes closed""",
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
            make a left turn with your head; orient your head to the left; turn your head 20 degrees to the left
            rotate your head 30 degrees left; turn 45 degrees to the left; pan your head left; pan your head to the left
            rotate to the left; turn the head leftwards; shift your head round to the left; wheel your head to the left
            turn your face toward the left; turn your face towards your left shoulder; make your head face left
            move your face to the left; have your face pointing left; let your nose point left; spin your head to the left
            angle your head to the left by turning it; turn your head until you face left; twist to the left
            twist your neck to the left; bring your face round to the left; swing your face left; direct your head to the left
            turn your head in the left direction; turn your head and ~look left; turn your head to look left""",
        noun="""a left turn of the head; a head turn to the left; a turn of the head to the left; a turn to the left; a left turn
            a head rotation to the left; a rotation of the head to the left; a leftward turn of the head; a quarter turn to the left
            a turn toward the left; a leftward rotation of the head; a pan of the head to the left; a swivel of the head to the left
            a head facing left; a face turned to the left""",
        raw="""left turn; head left; turn left; head to the left; head turned left; turn head left; rotate head left; face left
            head rotation left; head turn left; facing left; turning left; turn head to the left; rotate head to the left
            with your head turned to the left; with the head turned left; to the left; left; head yaw left; turned to the left
            left side; leftward head turn; left head turn; yaw left; head rotated left; left please; face to the left
            face turned left; face towards the left; turning the head left; turning head to the left; rotating the head left
            person turning left; head facing left; rotate left; swivel left; pan left; leftward rotation; turning to the left
            head pointing left; head swivels left; leftwards; turn your face left please; head turned to the left side""",
    ),
    "look_up": forms(
        do="""look up; look upward; look upwards; look up at the ceiling; look up at the sky; look up to the sky; gaze up; gaze upward
            tilt your head up; tilt your head back and ~look up; tilt your face up; turn your face up; turn your head up
            lift your head and ~look up; raise your head and eyes; look above you; look above the camera; look toward the ceiling
            look to the ceiling; look at the sky; look at the ceiling; look at the stars; stare up; stare at the ceiling; face up
            face upward; face the ceiling; direct your gaze upward; point your face up; turn your eyes and head up
            raise your eyes to the sky; raise your eyes to the ceiling; glance up; peer up; peer upward; look overhead
            watch something above you; keep looking up; look high up; look up high; move your head up; pitch your head up
            look up above; cast your gaze upward; lift your gaze; raise your gaze; raise your eyes and head; look skyward
            look heavenward; tilt your head upward; tilt your head upwards; turn your head upward; lift your face; raise your face
            lift your face to the sky; look at something above you; look at the lamp above you; look up to the heavens
            look up towards the ceiling; look in the upward direction; direct your face upward; let your gaze wander up
            look upward with head and eyes; watch the sky; watch the birds above; check the ceiling; move your gaze up
            bring your gaze up; point your nose up; turn your gaze upward; shift your gaze upward""",
        noun="a look up; an upward look; a look at the sky; a look at the ceiling; an upward gaze; a glance up; a gaze toward the sky",
        raw="""look up; looking up; up; head up and eyes up; gaze up; facing up; eyes and head up; look upward; upward gaze; up please
            looking upward; looking at the ceiling; looking at the sky; face up; head tilted up; with your head tilted up
            talk while looking up; pitch up; head pitch up; upwards; look upwards; looking upwards; looking to the sky
            looking skyward; gaze upward; gaze raised; face raised; face lifted; face tilted up; head pitched up; tilt up
            tilt head up; upward; person looking up; eyes to the sky; look to the sky; look above; look overhead; gazing up
            head and eyes up; raised gaze""",
    ),
    "look_down": forms(
        do="""look down; look downward; look downwards; look down at the floor; look down at the ground; look at the floor
            look at the ground; look at your feet; look at your shoes; gaze down; gaze downward; tilt your head down
            tilt your face down; turn your face down; turn your head down; lower your head and ~look down; lower your head and eyes
            lower your gaze and head; look below you; look below the camera; look toward the floor; stare down; stare at the floor
            stare at the ground; face down; face downward; face the floor; direct your gaze downward; point your face down
            drop your gaze to the floor; glance down; peer down; look at the table in front of you; look down at your phone
            look down at your hands; keep looking down; look far down; look low; move your head down; pitch your head down
            cast your gaze downward; look down to the floor; read something in your lap; look at your lap; lower your gaze
            drop your gaze; cast your eyes down to the floor; lower your eyes and head; tilt your head downward
            tilt your head downwards; turn your head downward; lower your face; drop your face; look at something below you
            look at your knees; look down towards the ground; look in the downward direction; direct your face downward
            let your gaze fall; let your gaze sink; look downward with head and eyes; watch the ground; check your shoes
            move your gaze down; bring your gaze down; point your nose down; turn your gaze downward; shift your gaze downward
            look at the carpet; inspect the floor; stare at your feet; look at the keyboard""",
        noun="""a look down; a downward look; a look at the floor; a look at the ground; a downward gaze; a glance down
            a gaze toward the floor""",
        raw="""look down; looking down; down; head down and eyes down; gaze down; facing down; eyes and head down; look downward
            downward gaze; down please; looking downward; looking at the floor; looking at the ground; face down; head tilted down
            with your head tilted down; talk while looking down; pitch down; head pitch down; downwards; look downwards
            looking downwards; looking to the ground; gaze lowered; gaze toward the ground; face lowered; face tilted down
            head pitched down; tilt down; tilt head down; downward; person looking down; eyes to the ground; look to the floor
            look below; gazing down; head and eyes down; lowered gaze; looking at your feet; looking at your phone""",
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
            make a yes gesture with your head; nod repeatedly; nod your head repeatedly; nod several times; give an affirmative nod
            tip your head up and down; rock your head up and down; swing your head up and down; lower and ~raise your head repeatedly
            nod as you listen; nod with conviction; nod your approval; nod your agreement; nod your head in approval; nod to confirm
            nod to agree; make your head go up and down; let your head bob up and down; use your head to say yes
            tell me yes by nodding; respond with a nod; answer yes with a nod; nod politely; nod eagerly; nod encouragingly
            move your head in a yes motion; consent with a nod""",
        noun="""a nod; a nod of the head; a head nod; a yes nod; a nod of agreement; a nod of approval; an approving nod; a few nods
            an agreeing nod; an affirmative nod; a yes gesture; nods; several nods; a confirming nod; an encouraging nod
            a repeated nod; a nodding head; an up-and-down movement of the head; a nodding motion""",
        raw="""nod; nodding; head nod; nods; yes nod; nod yes; nod head; nod your head please; head up and down
            up and down with the head; head nodding; nodding yes; yes with the head; talk while nodding; nodding along
            nodding in agreement; nod nod; agreeing nod; nod of agreement; nodding head; head bob; bobbing head; nods head
            person nodding; nodding motion; up-down head motion; head moving up and down; yes gesture; affirmative nod; agree; yes
            agreement; nod in agreement please; repeated nodding; nod several times; nodding the head; head nods""",
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
            shake your head as if you disagree; make a no gesture with your head; waggle your head; decline with a shake of the head
            shake your head left and right; turn your head left and right repeatedly; move your head left to right and back again
            look left and right repeatedly; shake your head repeatedly; shake your head several times
            rock your head from side to side; let your head go from side to side; use your head to say no
            tell me no by shaking your head; respond with a head shake; answer no with your head; shake your head firmly
            shake your head sadly from side to side; twist your head from side to side; swivel your head from side to side
            turn your face from side to side; move your head in a no motion; reject it with a shake of your head
            shake your head to refuse; shake your head to disagree; shake your head to the left and the right
            oscillate your head left and right; swing your head left and right""",
        noun="""a head shake; a shake of the head; a no shake; a headshake; a disapproving head shake; a shake of the head in refusal
            a no gesture; a shaking of the head; a negative head shake; several head shakes; a side-to-side movement of the head
            a shaking head; a no with the head; a left-right shake of the head; a firm head shake; a head-shaking motion""",
        raw="""shake head; shaking head; head shake; headshake; no shake; shaking your head; head side to side
            side to side with the head; shake your head no please; shaking no; no with the head; head shaking
            talk while shaking your head; shake head no; head left right left right; shaking the head; disagreeing head shake
            head back and forth; shake head side to side; shakes head; person shaking head; head-shaking; no gesture
            side-to-side head motion; head moving side to side; head turning left and right; left-right head shake
            shaking the head no; disagree; no; disagreement; refusal; head shakes; shaking your head no; shake the head; shake no
            repeated head shake; head swinging side to side; head moving left and right""",
    ),
}
