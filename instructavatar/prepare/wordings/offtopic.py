"""Texts that ask for nothing a face could do: the face stays idle. Drawn from a small grammar so that no two corpora hold the same list."""

from __future__ import annotations

import numpy as np

from instructavatar.prepare.wordings.forms import words
from instructavatar.prepare.wordings.frames import phrases
from instructavatar.prepare.wordings.grammar import pick, with_article

_THINGS = phrases(
    """banana | apple | bicycle | train | river | mountain | laptop | keyboard | garden | castle | pencil | guitar | umbrella | rocket
    carpet | window | pizza | sandwich | bridge | candle | airplane | bottle | camel | cactus | lantern | hammer | spoon | violin
    library | museum | harbour | forest | desert | volcano | cloud | planet | satellite | engine | wallet | ticket | passport
    notebook | chair | sofa | fridge | oven | kettle | teapot | carrot | potato | cabbage | melon | elephant | tiger | penguin
    dolphin | spider | beetle | butterfly | owl | horse | tractor | lorry | submarine | anchor | compass | map | calendar | clock
    printer | router | database | spreadsheet | invoice | contract | tax form | tulip | oak tree | blanket | pillow | mattress
    curtain | brick | cement mixer | ladder | paintbrush | canvas | statue | puzzle | chessboard | football | tennis racket
    skateboard | snowboard"""
)
_PLACES = phrases(
    """Paris | Tokyo | the north | the kitchen | Berlin | the office | Cairo | the station | the beach | Brazil | Canada | the village
    the harbour | Madrid"""
)
_ADJECTIVES = phrases(
    """red | old | wooden | expensive | broken | tiny | heavy | green | plastic | ancient | rusty | modern | striped | cold | round
    yellow | cheap"""
)
_TOPICS = phrases(
    """the stock market | photosynthesis | the French Revolution | quantum physics | organic chemistry | tax law | basketball
    the history of Rome | linear algebra | gardening | the weather | machine learning | medieval art | coffee | the moon landing
    electric cars | interest rates | ocean currents | dinosaurs | jazz | bread | renewable energy | world trade | grammar | algebra
    plate tectonics | beekeeping | the solar system | house prices | vaccines | railway timetables | cheese | architecture | poetry"""
)
_WORDS = words(
    """seven blue quickly table orange random winter pixel lamp stone music paper Tuesday number copper energy village silver coffee
    garden protocol vector button salad glass market cotton thunder island theory budget pattern signal harvest metal velvet morning
    eleven system bread summer forest letter minus kilometre"""
)

_FRAMES = phrases(
    """{a} {t} | the {t} | {a} {j} {t} | {j} {t} | where is the {t}? | how much does {a} {t} cost? | what is the price of {a} {t}?
    the {t} is {j} | I bought {a} {j} {t} in {p} | we went to {p} last week | the train to {p} leaves at {n}
    what is the weather like in {p}? | it is raining in {p} | it will be sunny tomorrow with {n} degrees
    heavy snow is expected in {p} | explain {o} | tell me about {o} | write an essay about {o} | what do you know about {o}? | {o}
    the capital of the country is {p} | add {n} cups of flour and stir | preheat the oven to {n} degrees
    mix the {t} with two eggs and bake for {n} minutes | boil the potatoes for {n} minutes | {n} plus {n} equals {n}
    what is {n} times {n}? | the meeting is at {n} | please send the invoice by Friday | order number {n} | {w} {w} {w} | {w} {w}
    {w} | {w} {w} {w} {w} | the {t} costs {n} dollars | my {t} does not work | install the {t} and restart the computer
    import numpy as np | def main(): return {n} | SELECT * FROM {w} | the population of {p} is {n} million
    who won the game between {p} and {p}? | once upon a time there was {a} {j} {t} | the book is about {o}
    can you recommend a good {t}? | buy one {t}, get one free | the {t} arrived at {p} on Monday | turn off the lights
    turn on the {t} | close the door | open the window | open the file | paint the wall {j} | go to {p} | drive to {p} | chapter {n}
    version {n}.0 | lorem ipsum dolor sit amet | asdf qwer zxcv | {n} | % | ... | hello | hello there | good morning
    good evening everyone | thank you very much | okay | alright | test | this is a test | no problem | see you later
    hi, how are you? | what time is it? | what is your name? | count to {n} | translate this into French | play some music
    call the plumber | the quick brown fox jumps over the lazy dog | water boils at one hundred degrees | a photo of {a} {t} in {p}
    {a} {j} {t} on the table"""
)


def off_topic(rng: np.random.Generator) -> str:
    """One text about something else."""
    text = pick(rng, _FRAMES)
    thing, adjective = pick(rng, _THINGS), pick(rng, _ADJECTIVES)
    while "{w}" in text:
        text = text.replace("{w}", pick(rng, _WORDS), 1)
    while "{n}" in text:
        text = text.replace("{n}", str(int(rng.integers(2, 60))), 1)
    first = adjective if "{a} {j}" in text else thing
    article = with_article(first).split()[0]
    return text.format(a=article, t=thing, j=adjective, p=pick(rng, _PLACES), o=pick(rng, _TOPICS))


_CHATTER = phrases(
    """do whatever you like | free expression | do as you please | act freely | anything you want | be yourself | just be | talk normally
    just talk | speak | talk | say it | keep going | go on | carry on | do nothing | nothing special | idle | wait | stay as you are
    just sit there | simply exist | hang on | look natural | act natural | behave normally | be natural | wait for my signal
    get ready | talk to the camera"""
)


def chatter(rng: np.random.Generator) -> str:
    """A text that leaves everything to the actor: idle life as well."""
    return pick(rng, _CHATTER)
