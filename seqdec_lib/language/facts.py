"""Sixty-four countries with their capitals and continents, in English and Korean.

Capitals and continents are those of schoolbooks (Bern, which Swiss law calls no capital, and
Amsterdam, where the Dutch government does not sit). No capital is named as a country is.
"""

from __future__ import annotations

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

    Raises
    ------
    ValueError
        Particles other than 은는, 이가 and 을를; a noun that doesn't end in a Hangul syllable.
    """
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


_ASIA = """
South Korea, Seoul, 한국, 서울
Japan, Tokyo, 일본, 도쿄
China, Beijing, 중국, 베이징
Mongolia, Ulaanbaatar, 몽골, 울란바토르
Vietnam, Hanoi, 베트남, 하노이
Thailand, Bangkok, 태국, 방콕
Laos, Vientiane, 라오스, 비엔티안
Cambodia, Phnom Penh, 캄보디아, 프놈펜
the Philippines, Manila, 필리핀, 마닐라
India, New Delhi, 인도, 뉴델리
Nepal, Kathmandu, 네팔, 카트만두
Bangladesh, Dhaka, 방글라데시, 다카
Pakistan, Islamabad, 파키스탄, 이슬라마바드
Iran, Tehran, 이란, 테헤란
Iraq, Baghdad, 이라크, 바그다드
Saudi Arabia, Riyadh, 사우디아라비아, 리야드
"""
_EUROPE = """
France, Paris, 프랑스, 파리
Germany, Berlin, 독일, 베를린
Italy, Rome, 이탈리아, 로마
Spain, Madrid, 스페인, 마드리드
Portugal, Lisbon, 포르투갈, 리스본
the United Kingdom, London, 영국, 런던
Ireland, Dublin, 아일랜드, 더블린
the Netherlands, Amsterdam, 네덜란드, 암스테르담
Belgium, Brussels, 벨기에, 브뤼셀
Switzerland, Bern, 스위스, 베른
Austria, Vienna, 오스트리아, 빈
Poland, Warsaw, 폴란드, 바르샤바
Hungary, Budapest, 헝가리, 부다페스트
Greece, Athens, 그리스, 아테네
Sweden, Stockholm, 스웨덴, 스톡홀름
Norway, Oslo, 노르웨이, 오슬로
Finland, Helsinki, 핀란드, 헬싱키
Denmark, Copenhagen, 덴마크, 코펜하겐
Ukraine, Kyiv, 우크라이나, 키이우
Bulgaria, Sofia, 불가리아, 소피아
"""
_AFRICA = """
Tunisia, Tunis, 튀니지, 튀니스
Morocco, Rabat, 모로코, 라바트
Kenya, Nairobi, 케냐, 나이로비
Ethiopia, Addis Ababa, 에티오피아, 아디스아바바
Ghana, Accra, 가나, 아크라
Nigeria, Abuja, 나이지리아, 아부자
Senegal, Dakar, 세네갈, 다카르
Uganda, Kampala, 우간다, 캄팔라
Rwanda, Kigali, 르완다, 키갈리
Zambia, Lusaka, 잠비아, 루사카
Angola, Luanda, 앙골라, 루안다
Namibia, Windhoek, 나미비아, 빈트후크
"""
_NORTH_AMERICA = """
Canada, Ottawa, 캐나다, 오타와
the United States, Washington, 미국, 워싱턴
Mexico, Mexico City, 멕시코, 멕시코시티
Cuba, Havana, 쿠바, 아바나
Jamaica, Kingston, 자메이카, 킹스턴
"""
_SOUTH_AMERICA = """
Brazil, Brasilia, 브라질, 브라질리아
Argentina, Buenos Aires, 아르헨티나, 부에노스아이레스
Chile, Santiago, 칠레, 산티아고
Peru, Lima, 페루, 리마
Colombia, Bogota, 콜롬비아, 보고타
Ecuador, Quito, 에콰도르, 키토
Uruguay, Montevideo, 우루과이, 몬테비데오
"""
_OCEANIA = """
Australia, Canberra, 호주, 캔버라
New Zealand, Wellington, 뉴질랜드, 웰링턴
Fiji, Suva, 피지, 수바
Samoa, Apia, 사모아, 아피아
"""


def _facts(continent: str, lines: str) -> list[Fact]:
    rows = (line.split(", ") for line in lines.strip().splitlines())
    return [Fact(a, b, continent, Noun(c), Noun(d)) for a, b, c, d in rows]


_LINES = (_ASIA, _EUROPE, _AFRICA, _NORTH_AMERICA, _SOUTH_AMERICA, _OCEANIA)
FACTS: tuple[Fact, ...] = tuple(
    fact
    for continent, lines in zip(CONTINENTS, _LINES, strict=True)
    for fact in _facts(continent, lines)
)
"""All of them, by continent."""
