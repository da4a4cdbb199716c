"""Sixty-four countries with their capitals and continents, in English and Korean.

Capitals and continents are those of schoolbooks (Bern, which Swiss law calls no capital, and
Amsterdam, where the Dutch government does not sit). No capital is named as a country is."""

from importlib.resources import files
from typing import NamedTuple

PARTICLES = ("은는", "이가", "을를")
CONTINENTS = {
    "Asia": "아시아",
    "Europe": "유럽",
    "Africa": "아프리카",
    "North America": "북아메리카",
    "South America": "남아메리카",
    "Oceania": "오세아니아",
}


class Noun(str):
    """A noun that Korean templates ask for with its particle: f"{Noun('서울'):은는}" is 서울은."""

    __slots__ = ()

    def __format__(self, particles: str) -> str:
        return self + particle(self, particles) if particles else str(self)


def particle(noun: str, particles: str) -> str:
    """The right one of two particles: the first after a final consonant, the second after a vowel.

    Syllables are numbered by their sounds, the final one running through 28 values, 0 for none
    (The Unicode Standard, section 3.12).

    Raises ValueError: particles other than 은는, 이가 and 을를; a noun that doesn't end in a Hangul
        syllable."""
    if particles not in PARTICLES:
        raise ValueError(f"particles must be one of {PARTICLES}, but {particles!r} came.")
    if not noun or not "가" <= noun[-1] <= "힣":
        raise ValueError(f"a Korean noun must end in a Hangul syllable, but {noun!r} came.")
    has_final_consonant = (ord(noun[-1]) - ord("가")) % 28 > 0
    return particles[0] if has_final_consonant else particles[1]


class Fact(NamedTuple):
    """A country, its capital and its continent; names as they stand within a sentence."""

    country: str
    capital: str
    continent: str
    country_ko: Noun
    capital_ko: Noun

    @property
    def continent_ko(self) -> Noun:
        return Noun(CONTINENTS[self.continent])


def _read_facts() -> tuple[Fact, ...]:
    """The lines of `facts.txt`, below the continents they belong to."""
    facts, continent = [], ""
    for line in (files("seqdec_lib.language") / "facts.txt").read_text("utf8").splitlines():
        if line.startswith("["):
            continent = line.strip("[]")
        elif line:
            country, capital, country_ko, capital_ko = line.split(", ")
            facts.append(Fact(country, capital, continent, Noun(country_ko), Noun(capital_ko)))
    return tuple(facts)


FACTS: tuple[Fact, ...] = _read_facts()
"""All of them, by continent."""
