"""What the corpus voices say: our own sentences, word lists and templates, combined by seed.

The material is chosen for the mouth rather than for sense: lip closures (p, b, m), lip-teeth sounds (f, v), rounding (w, oo, oh) and open
vowels all come often, and next to many different neighbours.
"""

from __future__ import annotations

import random
from collections.abc import Callable


def _items(text: str) -> list[str]:
    """The items between the bars."""
    return text.split("|")


Pick = Callable[[list[str]], str]

WHO = _items(
    "my mother|the old farmer|a young painter|our neighbour|the baker|nobody here|the whole family|your best friend|a famous pilot|"
    "the tall woman|her little brother|the new teacher|every visitor|the president|a stranger in a blue coat|the band|my grandfather|"
    "the fisherman|that boy|the girl with the map|one of the judges|the mayor|a group of people|the bus driver|someone upstairs|"
    "the quiet man|the orchestra|our team|the doctor|a wolf|the shopkeeper|the poet"
)
DOES = _items(
    "bought|found|moved|remembered|opened|painted|wanted|forgot|carried|believed in|talked about|looked for|waited for|promised|dropped|"
    "borrowed|watched|described|measured|built|shipped|chose|threw away|laughed at|asked for|wrapped|washed|kept|loved|avoided|polished|"
    "wrote about|swept up|dreamed of|voted for|folded"
)
WHAT = _items(
    "a purple umbrella|the paper boat|five apples|the broken window|a map of the moon|some warm bread|the blue vase|a bowl of soup|"
    "the wooden bridge|two pairs of shoes|the oldest book in the room|a jar of honey|the morning train|a very good idea|"
    "seven yellow balloons|the front door|a hammer and a few nails|the wrong number|a cup of coffee|the big red bus|"
    "a photograph of the beach|the voice on the phone|a bag of potatoes|fresh fish|the same old joke|a pillow|thirty white sheep|"
    "the missing piece|a violin|the farm by the river|the weather report|a mushroom omelette|those heavy boxes|an orange jumper|"
    "every word of it|the whole truth|a piece of pie|the village fair|the golden watch"
)
WHERE = _items(
    "in the garden|on the roof|by the window|under the table|behind the church|near the harbour|at the market|across the street|"
    "above the shop|in front of the house|on the way home|at the top of the hill|in the middle of nowhere|beside the pool|"
    "over the bridge|between the trees|at the office|in a small town|along the beach|far from the road"
)
WHEN = _items(
    "yesterday|before breakfast|in the afternoon|last week|a year ago|on Monday|after the storm|every morning|just now|when we were away|"
    "at half past five|during the film|without a word|for the first time|once more|much too late|in February|as usual|all of a sudden|"
    "on her birthday"
)
HOW = _items(
    "slowly|happily|with both hands|by mistake|very carefully|out of habit|for no reason|in a hurry|bravely|with a smile|"
    "almost every day|rather badly|as well as possible"
)
START = _items(
    "maybe|of course|well|by the way|however|in my opinion|first of all|to be honest|as far as I know|believe me|oh|yes|no|listen|"
    "I hope that|we think that|they say|I never knew that|you should know that|people often say that|it seems that"
)
ASK = _items(
    "why did you think|who told you|do you believe|how could we know|did you notice|would you mind if I said|what if|have you heard|"
    "are you sure"
)
WORDS = _items(
    "apple|bamboo|bubble|problem|possible|maple|people|purple|table|member|summer|hammer|number|lumber|map|cup|jump|lamp|limp|bump|tub|"
    "rob|web|cube|globe|foam|fame|film|fig|fog|leaf|laugh|rough|half|move|love|live|cave|stove|over|never|river|fever|favour|value|view|"
    "voice|violet|vivid|water|wonder|window|wild|wool|wet|away|always|swim|twin|quick|queen|quiz|language|ocean|open|over|only|own|old|"
    "gold|bold|home|boat|goat|moon|soon|spoon|food|fruit|juice|blue|true|you|two|shoe|glue|school|pool|smooth|book|cook|foot|wood|good|"
    "push|pull|father|farm|car|star|heart|large|palm|calm|hot|stop|box|clock|model|cat|man|hand|land|happy|black|thank|apron|bed|red|"
    "head|bread|letter|pepper|pet|seven|eleven|bird|word|work|early|nurse|first|turn|purr|see|tree|green|piece|please|evening|sleep|"
    "cheese|machine|ski|sit|ship|fish|milk|winter|little|bridge|day|name|place|rain|train|eight|great|time|light|fly|my|sky|white|eye|"
    "ice|boy|toy|noise|join|point|house|mouth|now|brown|cloud|thin|think|third|path|bath|month|truth|this|that|there|mother|brother|"
    "weather|bathe|shop|sharp|shell|wash|nation|special|pleasure|measure|vision|beige|church|chair|catch|nature|jam|judge|magic|region|"
    "age|sing|song|ring|long|finger|anger|singer|king|king size|cold|keep|kick|can|cake|go|give|egg|bag|gate|get|hat|hill|behind|whole|"
    "who|yes|young|yellow|year|use|music|few|red|room|rich|arrow|sorry|mirror|leg|long|yellow|silly|ball|milk|nine|none|noon|dinner|tent|"
    "tooth|better|dad|did|sudden|zoo|zero|easy|rose|six|sister|missing|ask|best|west|vest|text|next|box|fix|strength|twelfth|sixth|asks|"
    "wasps|months|clothes|scripts|glimpsed|bursts|warmth|wolves|warm|wave|weave|whisper|whim|womb"
)
WHOLE = _items(
    "My mother bought a big purple umbrella.|We were away a year ago.|Please put the paper boat back in the bath.|"
    "Open the window and let the warm air blow through.|Five very happy families lived above the farm.|"
    "Maybe tomorrow we will bring some more plums home.|Thank you very much for coming.|Our future depends on how we build bridges.|"
    "What a beautiful morning to walk along the river.|Bob and Pam popped the bubbles one by one.|Pick up a pumpkin for mum and me.|"
    "The big brown bear broke my picnic table.|Whoever moved the wool should move it back.|"
    "You knew who threw the blue shoe into the pool.|Far too many cars are parked on our path.|Do not go home before the show is over.|"
    "I owe you an apple and a bowl of oats.|Few of us have ever found a fossil like this.|Vivian gave five wolves a very heavy leaf.|"
    "Peter, pass me the pepper, please.|Welcome back, my name is Bella, and I am happy to meet you.|"
    "Would you like to hear a short story?|Nobody believed me when I told them.|Stop, look, and listen before you move.|"
    "Ah, there you are!|Oh no, not again.|Wow, that was amazing!|Hmm, maybe we should wait a bit.|Good morning, everybody.|"
    "See you next week, and take care.|I am so sorry to hear that.|How are you feeling today?|Please leave a message after the beep.|"
    "It is a pleasure to be here with all of you.|Let me show you how it works.|Once upon a time there was a small house above the sea.|"
    "The shop opens at half past eight, from Monday to Friday.|Press any button, and the machine will move.|"
    "Push the pump, pull the lever, and pour the water.|I would rather be warm and poor than rich and wet.|"
    "Both of them laughed until they wept.|The judge chose a cheap orange chair.|She showed me shells on the shore.|"
    "Three thin thieves thought of a thousand things.|Measure the garage before you vanish.|Young yaks use yellow yarn.|"
    "The king was singing a long, slow song.|Red roses really are rare around here.|Little Lilly will call all the people.|"
    "Don't touch that, it's hot!|Zoe was busy as a bee with these boxes.|Keep calm and carry a cake to the coach.|"
    "Go and get eight big eggs.|Who was that, and what did he want?|Mmm, this pie is wonderful.|Bye bye, baby, be good.|"
    "Pop music makes people move.|We wish you were with us.|Why would a whale wear a wig?|Every evening the ferry leaves from pier five.|"
    "Please speak slowly, so that everyone can follow.|Move your lips, open your mouth, and say ah.|Up, up, and away!|"
    "Mama makes more money by mail.|From above, the fields form a map of green and brown.|Tell me more about your family.|"
    "The volume of the drum was very low.|A warm wind woke the wolf.|Our owl was out for an hour.|Boys enjoy noisy toys."
)


def _statement(pick: Pick) -> str:
    return f"{pick(WHO)} {pick(DOES)} {pick(WHAT)} {pick([*WHERE, *WHEN, *HOW])}."


def _opened(pick: Pick) -> str:
    return f"{pick(START)}, {pick(WHO)} {pick(DOES)} {pick(WHAT)}."


def _question(pick: Pick) -> str:
    return f"{pick(ASK)} {pick(WHO)} {pick(DOES)} {pick(WHAT)} {pick(WHEN)}?"


def _joined(pick: Pick) -> str:
    return f"{pick(WHEN)}, {pick(WHO)} {pick(DOES)} {pick(WHAT)}, and {pick(WHO)} {pick(DOES)} {pick(WHAT)}."


def _words(pick: Pick) -> str:
    """A string of unrelated words, so that no phrase can be learnt by heart."""
    words = [pick(WORDS) for _ in range(8)]
    return f"{' '.join(words[:4])}, {' '.join(words[4:])}."


def _whole(pick: Pick) -> str:
    return pick(WHOLE)


FORMS = (_statement, _opened, _question, _joined, _words, _words, _whole)


def sentence(rng: random.Random) -> str:
    """One sentence of 3 to 25 words.

    >>> sentence(random.Random(1)) == sentence(random.Random(1))
    True
    """
    text = rng.choice(FORMS)(rng.choice)
    return text[0].upper() + text[1:]
