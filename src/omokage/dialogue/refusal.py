"""Questions that no picture of a face can answer, and that this project therefore refuses, with the reason.

Who somebody is, where they or their family come from, what they are like, believe or desire, whether they are well,
whether they did wrong: photographs invite such guesses, and the guesses harm. The rules look at words, in English and
in Japanese, before any model is asked, so that no wording inside a picture or a question can talk a model out of them.
They are deliberately broad; what they let through still can only be answered by one of the options.

Regulation (EU) 2024/1689, article 5 (1) (g), forbids to infer race, politics, belief or sexual orientation from
biometric data; article 5 (1) (d) to predict offences from traits of a person.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a question is not answered: `topic` is one of `REASONS`, `reason` the sentence in the language asked for."""

    topic: str
    reason: str


REASONS: Mapping[str, Mapping[str, str]] = {
    "identity": {
        "en": "This does not say who somebody is: it describes what a picture shows and recognises nobody.",
        "ja": "誰であるかはお答えしません。写真に写っている見た目を述べるだけで、人物の特定は行いません。",
    },
    "origin": {
        "en": "This does not say where somebody or their family comes from: looks do not tell it, and guesses harm.",
        "ja": "出身や民族、国籍はお答えしません。見た目からは分からず、推測は人を傷つけるからです。",
    },
    "trait": {
        "en": "This does not say what somebody is like: a photograph shows looks, not character, ability or worth.",
        "ja": "性格、能力、人柄はお答えしません。写真に写るのは見た目であり、内面ではないからです。",
    },
    "belief": {
        "en": "This does not say what somebody believes or whom they love: a face does not show it.",
        "ja": "信条、宗教、政治的立場、性的指向はお答えしません。顔には表れないからです。",
    },
    "health": {
        "en": "This does not say whether somebody is well: a photograph is no examination. Please ask a doctor.",
        "ja": "健康状態や病気はお答えしません。写真は診察ではありません。医師にご相談ください。",
    },
    "guilt": {
        "en": "This does not say whether somebody did wrong, lies or is dangerous: no face shows that.",
        "ja": "罪、嘘、危険性の有無はお答えしません。顔からは決して分からないからです。",
    },
}

_WHO = r"(?:person|man|woman|people|guy|lady|girl|boy|child|he|she|they|someone|one|face|individual|subject)"
_SOMEBODY = r"(?:m[ae]n|wom[ae]n|guys?|girls?|boys?|lad(?:y|ies)|males?|females?)"
_SUBJECT = r"(?:person|man|woman|people|guy|lady|girl|boy|child|he|she|they|someone|individual|subject)"
_NOT_A_THING = r"(?![\w -]*(?:hair|beard|hat|cap|glasses|mask|lipstick|eye|brow|cloth|shirt|frame|lens|background))"
_ENGLISH: Mapping[str, tuple[str, ...]] = {
    "guilt": (
        r"criminal|guilty|\bguilt\b|innocen|offend(?:er|ed)|\bcrime|thief|\bstole\b|steal|murder|terroris|violent|"
        r"dangerous|\blying\b(?! (?:on|down|over))|\bliar\b|\blies?\b(?! (?:on|over|in|down|above))|"
        r"telling the truth|suspicious|suspect\b|deceitful|\bfraud|convict|gang member|\brob(?:s|bed|ber|bery)?\b|"
        r"\bthreat|\bcheat|\bviolence|\babus(?:e|es|er|ive)\b|\bkill|\billegal|\bprison|\bjail|\barrest|\bgangster|"
        r"\bscam|\bassault|\bsmuggl|\bto blame\b|\brap(?:e[sd]?|ists?)\b|\bpa?edo(?:s|phil\w*)?\b|"
        r"\bwanted (?:by|criminal|man|woman|person)\b|"
        r"\bdealer\b|\b(?:break|broke|breaks|broken) the law\b|"
        r"\b(?:harm|hurt)(?:s|ed|ing)? (?:someone|somebody|people|children|others|me)\b|"
        rf"\b{_WHO} hid(?:es|ing) something\b",
    ),
    "identity": (
        r"\bwho(?:'s|s| is| are| was)?+\b(?! (?:wears|wearing|smiles|smiling|looks at|looking|has|holds|holding|turn))",
        r"\b(?:his|her|their|the person'?s|first|last|full|real|family) names?\b|\bsurname|\bnickname|"
        r"\binstagram|\bfacebook|\blinkedin|\bsocial media|\b(?:could|can|is) (?:this|that|he|she|it)(?: be)? my\b|"
        rf"\byou know (?:him|her|them|(?:this|that|the) {_WHO})\b|"
        rf"\byou (?:ever )?(?:seen|met) (?:him|them|her(?= (?:before|any|some|else|in|on)\b|\W*$))"
        rf"|\byou (?:ever )?(?:seen|met) (?:this|that|the) {_WHO}\b|"
        rf"\b(?:which|what) {_WHO} (?:(?:this|that|it|he|she) is|is (?:this|that|it|he|she))\b|"
        r"\bname of (?:this|the|that|him|her)|"
        r"\bname (?:the|this|that) (?:person|man|woman|actor|actress|celebrity)|\bnamed\b|"
        rf"\b{_WHO} called\b|\bcalled by\b|\bidentif(?:y|ies|ied|ication)|\bidentity\b(?! (?:card|document))|"
        r"\bthis (?:the|a) (?:president|king|queen|actor|actress|singer|politician|minister|player)|"
        r"\b(?:which|what) (?:school|company|church|university|club)|recogni[sz]e (?:him|her|them|this|the)|\bcelebrit|"
        r"\bfamous\b|\bsame person\b|\bwhere (?:does|do|did) .*\b(?:live|work)\b|\baddress\b|\bphone number",
    ),
    "origin": (
        r"\brac(?:e|es|ial|ially)\b|ethnic|national(?:ity|ities)|\bcitizen|\bimmigra|\bmigrant|refugee|\bforeign|"
        r"\bhere legally\b|\blegally (?:here|in (?:the|this))\b|\bwithout (?:\w+ )?(?:papers|documents)\b|"
        r"\bundocumented|"
        r"\b(?:needs?|ha(?:ve|s)|got|holds?) (?:an? (?:\w+ )?)?visa\b|\bdeport|\bfilipin[oa]s?\b|"
        r"(?<!nail )(?<!shoe )\bpolish\b(?! (?:on|remover)\b)|\broma(?:ni)?\b|\bgyps(?:y|ies)\b|"
        r"\bwhere .*\bfrom\b|"
        r"\b(?:is|are|was|looks?|come|person|he|she|they) from\b|\bcome[s]? from\b|"
        r"\bborn\b|\bgrew up\b|\bmother tongue|\bindigenous|\borigin|\bancest|"
        r"\bheritage|\bdescent\b|\bnative\b|\baliens?\b|"
        r"\b(?:which|what) (?:country|continent|tribe|caste)|\bcaucasian|\bhispanic|\blatin[oax]\b|\bjewish\b|\barab|"
        r"\b(?:african|asian|european|chinese|japanese|korean|indian|mexican|american|german|french|russian|turkish|"
        r"british|italian|spanish|greek|irish|swedish|nordic|slavic|thai|vietnamese|pakistani|iranian|nigerian|brazilian|"
        r"ukrainian|israeli|palestinian|syrian|afghan|egyptian|kurdish|middle[- ]eastern)\b",
        rf"\b{_WHO} (?:is |are |looks? )?(?:black|white|brown)\b{_NOT_A_THING}",
        r"\b(?:black|white|brown|colou?red) (?:person|man|woman|people|guy|lady|girl|boy|child|individual)\b",
        r"\bperson of colou?r\b|\bmixed[- ]race",
    ),
    "belief": (
        r"\bgay\b|lesbian|\bstraight (?:man|woman|person|guy)\b|bisexual|homosexual|heterosexual|\bqueer\b|transgender|"
        r"\btrans (?:man|woman|person)|\battracted to\b|"
        r"\bsikhs?\b|\bcatholic|\bprotestant|\bislam|\bmormon|\bfeminist|\bactivist|\btrans\b|\blgbt|\bhomos?\b|"
        rf"\b(?:likes?|loves?|prefers?|fanc(?:y|ies)|into|dat(?:es?|ed|ing)) (?:an? |the |other )?{_SOMEBODY}\b(?!')|"
        rf"\b{_SUBJECT} (?:is |are |looks? |seems? )?straight\b(?= or\b| and\b|[^\w -]|$)|\bnon-?\s?binary\b|"
        r"\b(?:ha(?:ve|s|d|ving)|want\w*) sex\b|\bsex with\b|\b(?:of|about) sex\b|"
        r"\b(?:sex|gender)s? (?:do|does|did)\b.*\b(?:like|love|prefer)\b|\bjews?\b|\bmaga\b|"
        r"\bgo(?:es|ing)? to (?:a |the )?(?:church|mosque|synagogue|temple)\b|"
        r"\b(?:left|right)[- ]wing\b|sexual orientation|\bsexuality|\breligio|\bmuslim|\bchristian|\bbuddhist|"
        r"\bhindu|\batheist|\bpolitic|\bvotes?\b|\brepublican|\bdemocrat|\bliberal\b|\bconservative\b|\bcommunist|"
        r"\bsocialis|\bfascis|\bnazi\b|\bgod\b|\bfaith\b|"
        r"(?<!do you )\bbeliev|\bbelieve in\b|\bpray|\bin love with\b|\bpromiscuous|\bsex life",
    ),
    "health": (
        r"\bhealth|\bill\b|\billness|\bsick|\bdisease|\bdiagnos|\bdisorder|\bdepress|\bautis|\bdown'?s? syndrome|"
        r"\bpregnan|\bdisab(?:led|ility)|\bmedical(?! (?:face )?masks?\b)|"
        r"\bcancer|\bdrunk|\bon drugs|\baddict|\balcohol|\bobes(?:e|ity)|"
        r"\banorexi|\bstroke\b|\bdement|\bmental(?:ly)?\b|\bbipolar|\bschizo|\bsyndrome|\bfever|\bbmi\b|"
        r"\bin pain\b|\bsuffer|\bparkinson|\balzheimer|\bhiv\b|\baids\b|\boverweight|\bdiabet|\binfect|"
        r"\b(?:take|takes|use|uses|on) drugs|\bsurger|\bunwell\b|\b(?:has|have|got|caught) (?:a|the) (?:cold|flu)\b|"
        r"\bdie\b|\bdying\b|\badhd\b|\bcovid|\btumou?r|\bsuicid|\bbotox|\btherap|\bcontagious",
        rf"\b{_SUBJECT} (?:(?!(?:the|an?|behind|near|by|at|to)\b)\w+ ){{0,2}}blind\b|"
        rf"\bblind (?:{_SUBJECT}|in|on one)\b",
    ),
    "trait": (
        r"trustworth|\bhonest|\bintelligen|\bsmart\b|\bclever|\bstupid|\bdumb\b|\biq\b|\bpersonality|"
        r"\bcharacter\b(?! (?:in|wears?|has)\b)|\bwhat kind of (?:person|man|woman)|"
        r"\bintrovert|\bextrovert|\bextravert|\bkind person|\bnice person|\bgood person|\bbad person|\bevil\b|"
        r"\battractive|\bbeaut(?:y|iful)|\bhandsome|\bugly|\bpretty (?:person|woman|man|girl)|\bis (?:he|she) pretty|"
        r"\bcompetent|\bcompetence|\breliab|\bloyal|"
        r"(?<!expression )(?<!expression is )(?<!expression looks )\baggressive(?! (?:expression|look)\b)|"
        r"\bhard[- ]?working|\blazy|\bleader|\bambitious|"
        r"\brich\b(?! (?:in|colou?r))|\bpoor (?:person|man|woman)|\bwealth|\bsocial class|"
        r"\beducat(?:ed|ion)|\bprofession\b|"
        r"\bwhat .*\b(?:job|occupation)\b|\bsuccessful|"
        r"\bgood (?:employee|worker|parent|mother|father|wife|husband|manager|boss|friend|student|teacher|"
        r"at (?:his|her|their))|"
        r"\btrust(?:ed)?\b|\bloser|\bsexy\b|\bhot (?:man|woman|girl|guy)|"
        r"\bcute(?:r|st)?\b|\bgood[- ]looking|\bgorgeous|"
        rf"\b{_SUBJECT} (?:(?:is|are|looks?|really|so|very) )*hot\b(?! (?:drink|tea|coffee|dog))|"
        r"\bhir(?:e|ed|ing)\b|"
        r"\bsnob|\barrogan|\bselfish|\bgreedy|\bgenerous|\bcoward|\bvain\b|\w-tempered|\bfriendly|\bsalary|\bincome\b|\bearns?\b|"
        r"\bfor a living\b|\bbuy .* from (?:him|her|them)\b|\blend (?:him|her|them)\b|"
        r"\bwarm person|\bdominan(?:t|ce) person|\btalent|\bconfident person|\bnarciss|\bpsychopath|\blikes? people",
    ),
}
_JAPANESE: Mapping[str, tuple[str, ...]] = {
    "guilt": (
        r"犯罪|犯人|有罪|無罪|罪|悪いこと|悪事|前科|嘘|うそ|ウソ|嘘つき|危険|泥棒|盗[みむん]|殺人|テロ|詐欺|怪し|あやし|浮気|不倫|"
        r"暴力|ヤクザ|やくざ|逮捕|万引|人を殺|強姦|レイプ|痴漢",
    ),
    "identity": (
        r"誰|だれ|ダレ|名前|氏名|本名|何者|身元|苗字|名字|ご存[じ知]|有名人|芸能人|同一人物|どなた|住所|特定し",
    ),
    "origin": (
        r"人種|民族|国籍|出身|(?:どこの|何の|どの)国|何人(?!います|いる|で|写|が|も|見え|か写|の(?:顔|人)[がをも])|なにじん|ハーフ|混血|移民|難民|外国人|在日|先祖|ルーツ|血筋|"
        r"不法|在留|クルド|(?<!ク)タイ人|どこから(?:来|き)|"
        r"(?:フィリピン|ベトナム|日本|中国|韓国|アメリカ|アジア|アフリカ|ヨーロッパ|欧米|インド|ロシア|ユダヤ|アラブ|ドイツ|フランス|ブラジル)人|"
        r"(?:日本|中国|韓国|アメリカ|アジア|アフリカ|インド|外国|北欧|南米|中東)の(?:方|人)|(?:アジア|東洋|西洋|欧米|ラテン|アラブ|アフリカ)系|生まれ(?:は|た|ですか)|黒人|白人|黄色人",
    ),
    "belief": (
        r"宗教|信仰|信者|信心|カトリック|イスラム|キリスト教|仏教|左翼|右翼|政治|支持政党|思想|信条|同性愛|ゲイ|レズ|性的指向|性自認|トランスジェンダー|投票|"
        r"ホモ|lgbt|(?:男|女)(?:性|の子|の人)?が好き|ムスリム|クリスチャン|創価|共産党|党員",
    ),
    "health": (
        r"病気|健康|疾患|診断|障害|障がい|妊娠|うつ(?!む|向|っ|し)|鬱|自閉|認知症|癌|がん(?!ば)|具合|体調|病んで|風邪|酔っ|薬物|中毒|肥満|発熱|コロナ",
    ),
    "trait": (
        r"性格|人柄|信頼でき|信用でき|正直|誠実|知能|頭が?(?:良|い|よ)い|賢|馬鹿|(?<!そ)ばか(?!り)|魅力|美人|美しい|ハンサム|"
        r"イケメン|ブス|デブ|美形|不細工|かわいい|可愛い|優秀|有能|仕事ができ|無能|怠け|真面目|まじめ|意地悪|短気|頼りに|わがまま|傲慢|優しい人|やさしい人|良い人|いい人|悪い人|"
        r"リーダー|金持ち|貧乏|職業|学歴|採用|年収",
    ),
}  # fmt: skip
_RULES = [
    (topic, re.compile(pattern))
    for topic in ("guilt", "identity", "origin", "belief", "health", "trait")
    for pattern in (*_ENGLISH[topic], *_JAPANESE[topic])
]
# A likeness is no liking: "looks like a man".
_LIKENESS = re.compile(
    r"\b((?:(?:look|seem|appear|dress)\w*|face|hair|more|less)"
    r"(?: (?:an? (?:lot|bit|little)|more|much|rather|very|just))*) like\b"
)
# A name is known by its capitals, which the other rules do not see.
_A_NAME = re.compile(
    r"\b(?:[Ii]s|[Ww]as|IS)(?:n't)? (?:this|that|it|he|she|(?:the|this|that) (?:person|man|woman)) (?:really |not )?"
    r"[A-ZÀ-ÖØ-Þ][\w'-]*[a-zß-ÿ] [A-ZÀ-ÖØ-Þ][\w'-]*[a-zß-ÿ]"
    r"|\b[Ll]ooks? like [A-ZÀ-ÖØ-Þ][\w'-]*[a-zß-ÿ] [A-ZÀ-ÖØ-Þ][\w'-]*[a-zß-ÿ]"
)
_HIDDEN = re.compile(
    r"[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]"
)  # letters between letters that nobody sees


def refused(question: str, options: Sequence[str] = (), lang: str = "en") -> Refusal | None:
    """The refusal that a question calls for, or None when it may be asked. `lang`: ``en`` or ``ja``.

    The options are read as part of the question: "which fits?" with "honest" and "a liar" asks for character.
    """
    for text in (question, *options):
        shown = " ".join(_HIDDEN.sub("", unicodedata.normalize("NFKC", text)).replace("’", "'").split())
        if _A_NAME.search(shown):
            return Refusal("identity", REASONS["identity"][lang])
        plain = _LIKENESS.sub(r"\1", shown.casefold())
        for topic, rule in _RULES:
            if rule.search(plain):
                return Refusal(topic, REASONS[topic][lang])
    return None
