"""How facts are said in measuring and never in training.

`TEST` says trained facts in other ways. `UNSEEN` are facts that no training text asks for or tells. So are those of
`ASIDE`, which are not measured: on them it is found how far answers about unknown things can be trusted. All words of
these occur in `phrases.TRAIN` or in the frames of training, so that what is measured is language, not vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping

from omokage.dialogue.phrases import Phrase, be, cover, do, look, thing, things

# Other ways to say the same facts, kept for measuring.
TEST: Mapping[str, tuple[Phrase, ...]] = {
    "smiling": (thing("a smiling mouth"), thing("a smiling face"), do("have a smile", "has a smile")),
    "mouth_open": (things("open lips"), do("keep the mouth open"), be("the lips", "open")),
    "eyes_closed": (things("shut eyes"), do("hold the eyes closed"), do("keep the eyes closed")),
    "eyeglasses": (
        be("{p}", "wearing eyeglasses"), be("glasses", "on the nose"), be("glasses", "in front of the eyes"),
    ),
    "sunglasses": (do("wear dark glasses"), do("have sunglasses on", "has sunglasses on")),
    "face_mask": (be("a mask", "on the face"), be("{p}", "wearing a face mask"), do("wear a face mask")),
    "wearing_hat": (
        be("a hat", "on the head"), do("wear a cap or a hat"), do("wear something on the head"),
    ),
    "beard": (
        thing("a beard on the chin"), be("hair", "on the chin"), do("have hair on the chin", "has hair on the chin"),
    ),
    "facial_hair": (be("hair", "on the face"), do("show facial hair")),
    "stubble": (be("stubble", "on the chin"), do("have stubble on the chin", "has stubble on the chin")),
    "bald": (thing("a head without hair"), thing("a bald person")),
    "bangs": (do("have a fringe", "has a fringe"), be("hair", "over the forehead")),
    "gray_hair": (be("the hair on the head", "grey"), do("show grey hair")),
    "black_hair": (be("the hair on the head", "black"), do("show black hair")),
    "blond_hair": (be("the hair on the head", "blond"), do("show blond hair")),
    "brown_hair": (be("the hair on the head", "brown"), do("show brown hair")),
    "long_hair": (be("the hair on the head", "long"), be("{p}", "wearing long hair")),
    "wearing_lipstick": (thing("lipstick on the lips"), do("have painted lips", "has painted lips")),
    "full_face": (thing("a full face"), thing("a round face")),
    "occluded": (thing("a covered part of the face"), be("a part of the face", "hidden behind something")),
    **{
        f"{part}_covered": (be("something", f"over the {part}"), be(f"the {part}", "hidden"))
        for part in ("nose", "chin", "forehead", "cheeks", "brows")
    },
    "turned_left": (do("turn to the left"), do("hold the head turned to the left")),
    "turned_right": (do("turn to the right"), do("hold the head turned to the right")),
    "head_up": (be("the face", "turned up"), thing("a raised chin")),
    "head_down": (be("the face", "turned down"), thing("a lowered chin")),
    "looks_left": (do("look to the left", "look to the left", "the eyes"), things("eyes that look to the left")),
    "looks_right": (do("look to the right", "look to the right", "the eyes"), things("eyes that look to the right")),
    "looks_down": (do("look down", "look down", "the eyes"), things("lowered eyes")),
    "brows_raised": (do("have raised brows", "has raised brows"), do("hold the brows up")),
    "brows_lowered": (do("have lowered brows", "has lowered brows"), do("hold the brows down")),
    "eyes_wide": (do("have wide open eyes", "has wide open eyes"), do("hold the eyes wide open")),
    "nose_wrinkled": (do("have a wrinkled nose", "has a wrinkled nose"),),
    "female": (be("the face", "female"), thing("a female face"), do("have a female face", "has a female face")),
    **{f"older_{a}": (do(f"look over {a}"), do(f"look more than {a} years old")) for a in (20, 30, 40, 50, 60)},
    **{
        f"expression_{name}": (do(f"have a face that looks {adjective}", f"has a face that looks {adjective}"),
                               do(f"look {adjective}", subject="the face"))
        for name, adjective in (
            ("neutral", "neutral"), ("happiness", "happy"), ("sadness", "sad"), ("surprise", "surprised"),
            ("fear", "afraid"), ("disgust", "disgusted"), ("anger", "angry"),
        )
    },
}  # fmt: skip

# Never asked for and never told in training.
UNSEEN: Mapping[str, tuple[Phrase, ...]] = {
    "mouth_covered": cover("mouth"),
    "eyes_covered": cover("eyes"),
    "mustache": (
        thing("hair above the mouth"), thing("hair over the lips"), do("grow above the mouth", subject="hair"),
        do("have hair above the mouth", "has hair above the mouth"),
    ),
    "hair_on_cheeks": (
        thing("hair on the cheeks"), do("grow on the cheeks", subject="hair"),
        do("have hair on the cheeks", "has hair on the cheeks"),
    ),
    "mouth_corners_down": (
        be("the corners of the mouth", "pulled down"), be("the corners of the mouth", "lowered"),
    ),
    "looks_up": (*look("up"), do("point up", "point up", "the eyes")),
    "mouth_wide_open": (
        be("the mouth", "wide open"), thing("a wide open mouth"), do("open the mouth wide"),
    ),
}  # fmt: skip

# Neither trained nor measured.
ASIDE: Mapping[str, tuple[Phrase, ...]] = {
    "cheeks_raised": (be("the cheeks", "raised"), things("raised cheeks"), be("the cheeks", "pulled up")),
    "lips_raised": (be("the lips", "pulled up"), things("raised lips"), do("raise the lips")),
    "lips_lowered": (be("the lips", "pulled down"), things("lowered lips"), do("lower the lips")),
    "lips_shut": (be("the lips", "shut"), things("shut lips"), do("hold the lips shut")),
    "lips_round": (be("the lips", "round"), things("round lips"), be("the mouth", "round")),
}
