"""Situations that call for an emotion without naming it: clauses about "you" that follow "as if", "imagine", or stand alone."""

from __future__ import annotations

from instructavatar.prepare.wordings.frames import phrases

STORIES: dict[str, tuple[str, ...]] = {
    "happy": phrases(
        """you just heard wonderful news | you won first prize | it is your birthday | you passed the exam | you met an old friend again
        your favourite song is playing | the sun came out after a week of rain | you got the job | you hold a newborn baby
        you are at a party with all your friends | your team has won | everything is going your way | somebody gave you flowers
        you are having the time of your life | life is good | the holidays have begun | your dream has come true"""
    ),
    "sad": phrases(
        """you lost someone you love | your best friend moved away | your heart is broken | you just got terrible news | your cat is gone
        your eyes fill with tears | tears run down your cheeks | you are about to burst into tears | you could cry | you want to weep
        you are fighting back tears | you are holding back tears | you cannot stop crying | you are at a funeral | your pet died
        nobody came to your birthday | you have been left alone | you are saying goodbye forever | all hope is lost | you feel awful
        the person you love has left you | you miss home terribly | somebody you know has passed away | you were told it is over
        your grandmother died | you lost everything | you feel so alone | it breaks your heart | you have nothing left to live for
        you are deeply disappointed | you failed the exam you worked for all year | the film has a very sad ending"""
    ),
    "angry": phrases(
        """somebody just insulted you | somebody scratched your new car | you have been lied to | they cheated you | you have had enough
        your neighbour is drilling at midnight | your blood is boiling | you are about to explode | somebody pushed in front of you
        you want to shout at someone | someone broke your phone on purpose | you cannot stand it any longer | they stole from you
        somebody is wasting your time | your patience is gone | you are ready for a fight | they treated you unfairly
        your boss blamed you for nothing | you hate what you hear | somebody ruined your work"""
    ),
    "fear": phrases(
        """a monster is standing behind you | you hear steps in the dark | you are being followed | there is a spider on your neck
        you see a ghost | the ground is shaking | somebody is breaking into your house | a lion is looking at you
        you are watching a horror film | you stand on the edge of a cliff | your plane is falling | you are in great danger
        something moves under the bed | you are afraid for your life | a gun is pointed at you"""
    ),
    "disgusted": phrases(
        """something smells rotten | you found a hair in your soup | you bit into a rotten apple | you stepped into something nasty
        the milk has gone sour | there is a worm in your food | you smell a full rubbish bin | somebody is sick next to you
        you just swallowed a fly | the toilet is filthy | the fish stinks"""
    ),
    "surprised": phrases(
        """somebody shouts boo | you cannot believe your eyes | you never expected this | you won the lottery
        your friends jump out for a surprise party | something exploded next to you | somebody told you an unbelievable story
        a rabbit came out of the hat | you see an elephant in your kitchen | you opened a box full of gold | this is unheard of
        a door slams right behind you
        somebody taps you on the shoulder from behind | a balloon bursts next to your ear | a stranger leaps out of the cupboard
        the lights go out without warning | a huge dog barks at you out of nowhere | someone appears right behind you
        a bucket of cold water is poured over you | you are told that you have a twin | your whole family stands at the door
        your eyes tell you something that cannot be true | you just learned a shocking secret | the news is a total shock
        an old friend turns up out of nowhere | your jaw drops
        you did not see that coming"""
    ),
    "contempt": phrases(
        """you are above all this | they are not worth your time | you think nothing of them | somebody made a pathetic excuse
        you look at a cheat | you despise what you hear"""
    ),
    "excited": phrases(
        """you are about to go on stage | the show starts in a minute | you cannot wait any longer | you are on a roller coaster
        your holiday begins tomorrow | you are getting a puppy"""
    ),
    "bored": phrases(
        """you have waited for hours | the talk goes on and on | you have heard this a hundred times | nothing ever happens here
        you are in an endless meeting | you do not care at all"""
    ),
    "tired": phrases(
        """you have not slept for two days | you worked all night | you can hardly keep your eyes open | you need a nap
        it is four in the morning | you just ran a marathon"""
    ),
    "proud": phrases(
        """you won the gold medal | your child just graduated | you built this with your own hands | you did what nobody thought possible"""
    ),
    "worried": phrases(
        """your child is late home | something is wrong with your plane | you wait for the doctor's answer | you may lose your job
        you left the stove on | you hear bad rumours"""
    ),
    "confused": phrases(
        """you do not understand a word | this makes no sense | you lost the thread | the instructions contradict each other
        you have no idea where you are | somebody speaks a language you do not know"""
    ),
    "suspicious": phrases(
        """somebody is hiding something from you | you do not believe a word | the story does not add up | you smell a trick"""
    ),
    "in_love": phrases(
        """you look at the love of your life | you have a crush on me | you are looking at your newborn | your heart beats for somebody"""
    ),
    "pain": phrases(
        """you have a toothache | you hit your thumb with a hammer | you burnt your hand | you stubbed your toe | your back hurts"""
    ),
    "determined": phrases("""nothing can stop you | this is the final round | you mean business | you will not give up"""),
    "thinking": phrases("""you are solving a riddle | you try to remember a name | you have a hard choice to make"""),
    "shy": phrases("""everybody is looking at you | somebody paid you a compliment | you forgot your words on stage"""),
    "calm": phrases("""you are listening to the sea | you have all the time in the world | you just finished meditating"""),
}
