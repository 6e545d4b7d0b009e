"""Cores of emotions and states of mind."""

from __future__ import annotations

from instructavatar.prepare.wordings.forms import Forms, forms

EMOTION_FORMS: dict[str, Forms] = {
    "happy": forms(
        do="""be happy; show that you are happy; look like you just heard good news; express happiness; show joy; radiate joy
            cheer up; look as if you got a present; look like it is your birthday; act as if you won a prize; make a happy face
            act happy; feel joy; look delighted; look joyful; be joyful; be cheerful; show me your happy face; smile with happiness
            look thrilled with joy""",
        be="""happy; joyful; cheerful; glad; delighted; pleased; merry; content; joyous; jolly; upbeat; in a good mood; overjoyed
            elated; full of joy; amused; blissful; gleeful; sunny; light-hearted""",
        adv="""happily; joyfully; cheerfully; gladly; merrily; with joy; with delight; in a happy way; in a cheerful manner
            in a good mood; gleefully""",
        emo="happiness; joy; delight; cheerfulness; gladness; pleasure; amusement; bliss; glee",
        noun="""a happy face; a happy look; a joyful expression; a happy emotion; a cheerful face; a face full of joy
            a pleased expression; a happy mood; a look of joy; a look of happiness; a delighted expression; a delighted face
            a cheerful expression; a joyful face; an expression of joy; a glad face""",
        raw="""happy; joy; happiness; happy face; happy emotion; joyful; cheerful; delighted; feeling happy; happy mood
            emotion: happy; :-); happy expression; looking happy; person looking happy; cheerful face; joyful expression; glad
            expression: happy; happy look; delight; happy person""",
    ),
    "sad": forms(
        do="""be sad; show that you are sad; look like you are about to cry; look as if you are going to cry; express sadness
            show sorrow; show grief; look as if you lost a friend; act as if you got terrible news; mope; look like you want to cry
            look down in the dumps; sulk; grieve; look as if someone broke your heart; look like you just heard bad news
            make a sad face; pull a sad face; make a crying face; cry; weep; look devastated; look mournful; frown sadly
            look like you're mourning; show me your sad face; look full of regret; act sad; look like your dog died; show despair
            look on the verge of tears; feel sorrow; hang your head in sorrow; look deeply hurt""",
        be="""sad; unhappy; sorrowful; gloomy; miserable; heartbroken; depressed; melancholy; mournful; downcast; upset; blue
            dejected; tearful; glum; feeling down; sorrow-stricken; grief-stricken; in a sad mood; full of sorrow; close to tears
            hurt; wistful; despondent; crestfallen; devastated; distraught; inconsolable; low; forlorn; sorry; disheartened; weepy
            bereaved; in tears; in despair; in mourning; woeful; discouraged""",
        adv="""sadly; sorrowfully; unhappily; mournfully; gloomily; with sorrow; with sadness; in a sad way; in a sad manner
            tearfully; miserably; with a heavy heart""",
        emo="sadness; sorrow; grief; unhappiness; gloom; misery; melancholy; heartbreak; despair",
        noun="""a sad face; a sad expression; a sad look; an unhappy face; a sorrowful expression; a sad emotion; a gloomy face
            a crying face; a sad mood; a face full of sorrow; a long face; a heartbroken look; a sorrowful look; a mournful face
            a tearful expression; a depressed expression; a miserable face; a dejected look; a look of sadness; a look of grief
            an upset face; a downcast expression; an expression of sorrow""",
        raw="""sad; sadness; sad face; sad emotion; sorrow; unhappy; sad expression; feeling sad; sad mood; emotion: sad; :(; gloomy
            depressed; grief; sorrowful; miserable; heartbroken; crying; crying face; upset; tearful; :'(; T_T; melancholy; sad person
            person looking sad; expression: sad; looking sad; sad look; grieving; mourning; despair""",
    ),
    "angry": forms(
        do="""be angry; show that you are angry; express anger; show rage; look like you are furious; get mad
            look as if someone insulted you; get angry; glare at the camera; glare; scowl; glower; look daggers
            act as if somebody stole your car; show your anger; lose your temper; look fierce; look like you want to fight
            bristle with anger; make an angry face; pull an angry face; look pissed off; frown angrily; seethe; seethe with rage
            show me your angry face; look like you want to yell at someone; act angry; act mad; look like someone cut in line
            feel anger; fume; rage; look outraged; boil with anger; be furious; look like you are about to explode""",
        be="""angry; mad; furious; enraged; irate; annoyed; irritated; outraged; cross; livid; hostile; aggressive; infuriated
            in a rage; full of anger; indignant; grumpy; wrathful; fuming; resentful; pissed off; seething; incensed; hot-tempered
            vexed; raging; ticked off; exasperated; ferocious; bitter and angry; boiling; displeased""",
        adv="""angrily; furiously; with anger; with rage; in an angry way; in an angry manner; crossly; with fury; irritably; in anger
            aggressively""",
        emo="anger; rage; fury; irritation; annoyance; outrage; wrath; hostility",
        noun="""an angry face; an angry expression; an angry look; a furious face; a mad face; an angry emotion; a scowl; a glare
            an angry mood; a fierce look; a furious expression; an enraged look; an irritated face; an annoyed look; a look of anger
            a look of rage; an angry frown; a hostile look; an outraged expression; an expression of anger; a mad expression
            an angry glare""",
        raw="""angry; anger; angry face; angry emotion; mad; furious; angry expression; feeling angry; rage; emotion: angry; mad face
            >:(; scowling; angry mood; furious face; enraged; irritated; annoyed; angry person; person looking angry
            expression: angry; looking angry; angry look; grr; fury; raging; glaring; mad expression; hostile; >:[; anger face""",
    ),
    "fear": forms(
        do="""be afraid; show that you are scared; express fear; show terror; look as if you saw a ghost; look like you are terrified
            show fright; look as if you are watching a horror film; act as if a monster is in front of you
            look like you are in danger; cower in fear; panic; make a scared face; act scared; look scared; look frightened
            look terrified; be scared; be terrified; tremble with fear; show me your scared face""",
        be="""afraid; scared; fearful; frightened; terrified; horrified; panicked; alarmed; petrified; in fear; anxious and afraid
            spooked; full of fear; panic-stricken""",
        adv="""fearfully; with fear; in terror; in fear; anxiously and fearfully; with fright; in a scared way; in a frightened voice
            in panic; with terror""",
        emo="fear; terror; fright; horror; panic; dread",
        noun="""a scared face; a fearful expression; a frightened look; a terrified face; a fear emotion; a look of fear
            a horrified expression; a look of terror""",
        raw="""fear; scared; afraid; scared face; fearful; fear emotion; fearful expression; terrified; frightened; emotion: fear
            feeling scared; terror; frightened face; scared expression; looking scared; person looking scared; expression: fear
            frightened expression; horror; horrified; panic; scared look; fear face""",
    ),
    "disgusted": forms(
        do="""be disgusted; show disgust; express disgust; look as if something smells bad; look like you smelled something rotten
            show that you are disgusted; look as if you bit into a lemon; look like you tasted something awful
            make a face as if it stinks; look revolted; act grossed out; make a disgusted face; act disgusted; look disgusted
            show me your disgusted face; grimace with disgust; show revulsion; wrinkle your nose in disgust; recoil in disgust
            look like there is a bug in your food""",
        be="disgusted; revolted; grossed out; repulsed; nauseated; sickened; repelled; full of disgust",
        adv="with disgust; disgustedly; in disgust; in a disgusted way; with revulsion; with distaste",
        emo="disgust; revulsion; distaste; repulsion; loathing",
        noun="""a disgusted face; a disgusted expression; a disgusted look; a look of disgust; a grossed-out face; a yuck face
            a disgust emotion; a revolted look; a look of revulsion; a repulsed expression; a nauseated face; an expression of disgust
            a grimace of disgust""",
        raw="""disgust; disgusted; disgusted face; yuck; eww; disgust emotion; disgusted expression; emotion: disgust
            feeling disgusted; gross; disgusted look; looking disgusted; person looking disgusted; expression: disgust; revolted
            revulsion; ugh; blech; nauseated; repulsed""",
    ),
    "surprised": forms(
        do="""be surprised; show surprise; express surprise; look like you just got a surprise; show that you are surprised
            react with surprise; act surprised; look as if you cannot believe it; look like you have seen something incredible
            show shock; look as if someone shouted boo; be amazed; be shocked; act as if you heard shocking news
            look like somebody jumped out at you; gasp in surprise; look like your jaw just dropped in amazement
            make a surprised face; do a surprised face; drop your jaw in surprise; look as if your friends threw you a surprise party
            gasp; gasp with surprise; look shocked; look astonished; look amazed; react as if something exploded; show amazement
            show astonishment; be astonished; be stunned; act shocked; act astonished; feel surprise; make a shocked face
            pull a surprised face; show me your surprised face; look like you saw a magic trick; be in awe; look startled
            react to a huge surprise; look like you just won a car""",
        be="""surprised; shocked; astonished; amazed; startled; stunned; astounded; taken aback; dumbfounded; awestruck; flabbergasted
            full of surprise; in shock; thunderstruck; speechless with surprise; wide-eyed with surprise; open-mouthed with surprise
            blown away; staggered; bowled over; wonderstruck; caught off guard; totally surprised; gobsmacked; jolted; in disbelief""",
        adv="with surprise; in surprise; in amazement; with astonishment; in a surprised way; in shock; with amazement; in astonishment",
        emo="surprise; astonishment; amazement; shock; wonder",
        noun="""a surprised face; a surprised expression; a surprised look; a shocked face; a look of surprise; a surprise emotion
            an astonished look; an amazed face; a shocked expression; a startled look; a wow face; a look of shock; a gasp of surprise
            a stunned look; a stunned expression; an amazed expression; an astonished face; a startled expression; a look of amazement
            a look of astonishment; a look of disbelief; an expression of surprise; a gasp; a face of shock; an awestruck look""",
        raw="""surprised; surprise; surprised face; wow; shocked; amazed; surprised emotion; astonished; surprised expression
            emotion: surprised; omg; shock; feeling surprised; startled; :O; wow face; surprise face; shocked face; surprised look
            amazement; astonishment; gasp; stunned; person looking surprised; expression: surprised; looking surprised
            surprised person; astonished face; amazed face; no way!; what a surprise; o_O; :o; disbelief; startled face
            shocked expression""",
    ),
    "contempt": forms(
        do="""show contempt; express contempt; be contemptuous; look down on somebody; show disdain; sneer
            look as if you despise someone; show scorn; look like you think you are better than everyone; make a contemptuous face
            look contemptuous; look scornful; look disdainful; act superior; act contemptuous; regard somebody with contempt
            look arrogant; smirk with contempt""",
        be="contemptuous; scornful; disdainful; condescending; dismissive; haughty; full of contempt; sneering",
        adv="with contempt; contemptuously; scornfully; with disdain; disdainfully; in a contemptuous way",
        emo="contempt; disdain; scorn",
        noun="""a contemptuous face; a contemptuous expression; a contemptuous look; a look of contempt; a sneer; a scornful look
            a contempt emotion; a disdainful expression; a disdainful look; a look of disdain; a haughty look; an arrogant look
            an expression of contempt; a scornful face""",
        raw="""contempt; contemptuous; scornful; contempt emotion; contemptuous face; disdain; emotion: contempt; disdainful look
            contempt expression""",
    ),
    "neutral": forms(
        do="""keep a neutral expression; keep a neutral face; relax your face; look neutral; return to a neutral face
            go back to neutral; keep a straight face; keep a poker face; show no emotion; drop all expression; rest your face
            stay neutral; make a neutral face; let your face relax; be expressionless; hold a neutral expression
            do nothing with your face; keep your face blank; keep your face relaxed""",
        be="neutral; expressionless; emotionless; impassive; without emotion; blank; relaxed and neutral; without any expression",
        adv="""without any emotion; with a neutral expression; without expression; neutrally; with a poker face
            with an emotionless face; in a neutral way""",
        noun="""a neutral face; a neutral expression; a natural expression; a poker face; an emotionless face; a blank expression
            a straight face; a blank face; a relaxed face; an expressionless face; a deadpan face; no expression; a resting face""",
        raw="""neutral; natural; neutral face; neutral expression; poker face; emotionless; no emotion; no expression; back to neutral
            relaxed; deadpan; straight face; emotion: neutral; natural face; neutral emotion; blank face; expressionless
            back to normal; natural expression; normal face; talk naturally; talk with a neutral expression; speak naturally""",
    ),
    "excited": forms(
        do="be excited; show excitement; look thrilled; express excitement; look like you cannot wait; show enthusiasm; act excited",
        be="excited; thrilled; enthusiastic; ecstatic; pumped; hyped; eager; exhilarated; psyched; stoked",
        adv="excitedly; enthusiastically; with excitement; with enthusiasm; eagerly; in an excited way; with great energy",
        emo="excitement; enthusiasm; exhilaration",
        noun="an excited face; an excited expression; an excited look; an enthusiastic look; a thrilled expression",
        raw="excited; excitement; excited face; thrilled; enthusiastic; ecstatic; hyped; yay; emotion: excited",
    ),
    "bored": forms(
        do="""be bored; show boredom; look as if this is boring; express boredom; look uninterested; act bored
            look like you have waited for hours""",
        be="bored; uninterested; indifferent; weary of it all; disinterested; unimpressed; fed up; apathetic",
        adv="with boredom; in a bored way; in a bored voice; without interest; listlessly; indifferently",
        emo="boredom; indifference; disinterest; apathy",
        noun="a bored face; a bored expression; a bored look; an unimpressed look; an uninterested expression",
        raw="bored; boredom; bored face; uninterested; unimpressed; meh; emotion: bored; bored expression; whatever",
    ),
    "calm": forms(
        do="be calm; look peaceful; stay calm; calm down; look serene; express calm; show calmness; be at peace",
        be="calm; peaceful; serene; tranquil; at peace; composed; relaxed and calm; at ease",
        adv="calmly; peacefully; serenely; in a calm way; with calm; in a calm voice",
        emo="calm; serenity; calmness; peace; composure",
        noun="a calm face; a calm expression; a peaceful look; a serene expression; a serene face",
        raw="calm; peaceful; serene; calm face; calm expression; tranquil; emotion: calm; zen",
    ),
    "confused": forms(
        do="""be confused; show confusion; look like you do not understand; express confusion; look puzzled; act confused
            look as if you lost the thread; look as if the question makes no sense; look baffled""",
        be="confused; puzzled; baffled; perplexed; bewildered; lost; unsure; confounded; disoriented; mystified",
        adv="with confusion; confusedly; in confusion; in a puzzled way; with a puzzled look; in a confused manner; quizzically",
        emo="confusion; puzzlement; bewilderment; perplexity",
        noun="a confused face; a confused expression; a puzzled look; a confused look; a quizzical look; a baffled expression",
        raw="confused; confusion; puzzled; confused face; baffled; huh?; what?; perplexed; emotion: confused; puzzled face",
    ),
    "tired": forms(
        do="be tired; look like you have not slept; show tiredness; look like you need a nap; act tired; look exhausted; look drowsy",
        be="tired; sleepy; exhausted; drowsy; worn out; weary; fatigued; half asleep; drained",
        adv="tiredly; wearily; sleepily; in a tired way; drowsily; in a tired voice; with fatigue",
        emo="tiredness; exhaustion; fatigue; weariness; sleepiness",
        noun="a tired face; a tired expression; a sleepy face; a tired look; an exhausted look; a drowsy look",
        raw="tired; sleepy; exhausted; tired face; sleepy face; drowsy; emotion: tired; worn out",
    ),
    "proud": forms(
        do="be proud; show pride; look proud of yourself; hold your head high; look self-satisfied; express pride; look like a champion",
        be="proud; self-satisfied; dignified; triumphant; victorious; accomplished",
        adv="proudly; with pride; in a proud way; triumphantly; with a proud look",
        emo="pride; triumph; dignity",
        noun="a proud face; a proud expression; a proud look; a look of pride; a triumphant look",
        raw="proud; pride; proud face; triumphant; emotion: proud; proud expression; head held high",
    ),
    "shy": forms(
        do="be shy; look bashful; act shy; look embarrassed; show shyness; look away shyly; show embarrassment; blush",
        be="shy; bashful; embarrassed; timid; coy; sheepish; self-conscious",
        adv="shyly; bashfully; timidly; with embarrassment; in a shy way; coyly",
        emo="shyness; embarrassment; bashfulness",
        noun="a shy face; a shy smile; a shy expression; a bashful look; an embarrassed look; an embarrassed smile",
        raw="shy; bashful; embarrassed; shy face; shy smile; emotion: shy; timid; embarrassed face",
    ),
    "in_love": forms(
        do="""look like you are in love; look lovestruck; look lovingly at the camera; show affection; show love; fall in love
            adore somebody with your eyes""",
        be="in love; loving; affectionate; lovestruck; adoring; infatuated; tender; smitten",
        adv="lovingly; affectionately; with love; tenderly; with affection; adoringly",
        emo="love; affection; tenderness; adoration",
        noun="a loving look; a loving expression; an affectionate look; a look of love; a tender look; a lovestruck face",
        raw="in love; loving; love; affectionate; lovestruck; adoring look; emotion: love; tender; <3",
    ),
    "worried": forms(
        do="""be worried; show worry; look concerned; look like you are worried about something; express concern; look anxious
            act nervous; fret""",
        be="worried; concerned; anxious; nervous; uneasy; troubled; tense; apprehensive; stressed",
        adv="worriedly; with worry; with concern; anxiously; nervously; in a worried way; uneasily; in a concerned voice",
        emo="worry; concern; anxiety; nervousness; unease",
        noun="a worried face; a worried expression; a worried look; a concerned look; an anxious face; a nervous look; a look of concern",
        raw="worried; anxious; concerned; nervous; worried face; worry; emotion: worried; uneasy; anxious face; concern",
    ),
    "suspicious": forms(
        do="""be suspicious; look like you do not trust me; show suspicion; look skeptical; look doubtful; show doubt; act suspicious
            show distrust""",
        be="suspicious; distrustful; skeptical; doubtful; wary; mistrustful; unconvinced; sceptical",
        adv="suspiciously; with suspicion; skeptically; doubtfully; warily; with distrust",
        emo="suspicion; distrust; doubt; skepticism; mistrust",
        noun="""a suspicious look; a suspicious face; a skeptical look; a doubtful expression; a side-eye; a distrustful look
            a skeptical face""",
        raw="suspicious; skeptical; doubtful; suspicion; suspicious look; distrust; emotion: suspicious; side eye; not convinced",
    ),
    "pain": forms(
        do="""look like you are in pain; show pain; wince; wince in pain; grimace in pain; act as if something hurts; grimace
            look as if you have a toothache""",
        be="in pain; hurting; in agony; suffering; tormented",
        adv="in pain; painfully; in agony; with a pained look",
        emo="pain; agony; suffering",
        noun="a pained expression; a pained look; a grimace; a wince; a look of pain; a pained face",
        raw="pain; ouch; in pain; wincing; grimace; pained face; it hurts; suffering",
    ),
    "determined": forms(
        do="""look determined; be determined; show determination; look serious; be serious; look stern; look focused; show resolve
            concentrate hard""",
        be="determined; serious; stern; focused; resolute; strict; concentrated; grim",
        adv="with determination; seriously; sternly; in a serious way; resolutely; firmly; in a stern voice",
        emo="determination; seriousness; resolve; focus",
        noun="a serious face; a serious expression; a stern look; a determined look; a stern face; a focused look; a determined face",
        raw="serious; determined; stern; focused; serious face; determination; serious expression; strict look; emotion: serious",
    ),
    "thinking": forms(
        do="""think; look thoughtful; think about it; ponder; look like you are thinking; look pensive; try to remember something
            look like you are solving a riddle""",
        be="thoughtful; pensive; lost in thought; contemplative; deep in thought; reflective",
        adv="thoughtfully; pensively; in a thoughtful way; in thought",
        emo="thoughtfulness; contemplation",
        noun="a thoughtful look; a thinking face; a pensive expression; a thoughtful expression; a thoughtful face",
        raw="thinking; hmm; thoughtful; thinking face; pensive; pondering; deep in thought; let me think",
    ),
}
