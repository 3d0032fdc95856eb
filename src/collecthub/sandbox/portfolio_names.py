"""Names and places for the bundled portfolio: invented people and firms, real towns, one line of data per country.

Fields of a country: language, telephone prefix, currency, towns with their postcode, streets, given names, family
names, words that firms are named with, legal forms.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CountryNames:
    """What people, firms and places are called in one country. Towns are (postcode, town, language)."""

    prefix: str
    currency: str
    towns: tuple[tuple[str, str, str], ...]
    streets: tuple[str, ...]
    given: tuple[str, ...]
    family: tuple[str, ...]
    trades: tuple[str, ...]
    forms: tuple[str, ...]


def _country(
    prefix: str, currency: str, towns: str, streets: str, given: str, family: str, trades: str, forms: str
) -> CountryNames:
    places = [tuple(part.strip() for part in town.split("|")) for town in towns.split(";")]
    lists = [
        tuple(part.strip() for part in text.split(",")) for text in (streets, given, family, trades, forms)
    ]
    return CountryNames(prefix, currency, tuple((a, b, c) for a, b, c in places), *lists)


COUNTRIES = {
    "BE": _country(
        "+32", "EUR",
        "1000|Brussel|nl;1050|Ixelles|fr;2000|Antwerpen|nl;9000|Gent|nl;4000|Liège|fr;5000|Namur|fr;8000|Brugge|nl;"
        "3000|Leuven|nl;7000|Mons|fr;4700|Eupen|de;3500|Hasselt|nl;6000|Charleroi|fr",
        "Kerkstraat, Stationsstraat, Rue de la Gare, Molenweg, Avenue Louise, Dorpsplein, Chaussée de Namur, Meir",
        "Jan, Els, Luc, Marie, Hélène, Koen, Zoë, Thérèse, Wouter, Amélie, Björn, Noémie, Geert, Fatima, Joël",
        "Peeters, Janssens, Dubois, Lambert, Vandenbroucke, De Smet, Maes, Leclercq, Claes, Gérard, Wouters, Noël",
        "Bakkerij, Bouwwerken, Garage, Boulangerie, Menuiserie, Transport, Tuinen, Drukkerij, Électricité, Horeca",
        "BV, NV, SRL, SA, CV, VOF",
    ),
    "NL": _country("+31", "EUR", "1012 JS|Amsterdam|nl;3511 LN|Utrecht|nl;5611 AZ|Eindhoven|nl",
        "Dorpsstraat, Molenlaan, Julianaweg", "Daan, Sanne, Jeroen, Maaike", "de Vries, van Dijk, Bakker, Jansen",
        "Installatie, Logistiek, Kwekerij", "B.V., N.V., V.O.F."),
    "FR": _country("+33", "EUR", "75011|Paris|fr;69002|Lyon|fr;59000|Lille|fr;33000|Bordeaux|fr",
        "rue Victor Hugo, avenue Jean Jaurès, place de l'Église", "François, Chloé, Jérôme, Aurélie",
        "Lefèvre, Moreau, Bézier, Garnier", "Boulangerie, Maçonnerie, Négoce", "SARL, SAS, SA"),
    "DE": _country("+49", "EUR", "10115|Berlin|de;50667|Köln|de;80331|München|de;52062|Aachen|de",
        "Hauptstraße, Bahnhofstraße, Gartenweg", "Jürgen, Käthe, Stefan, Anja", "Müller, Schröder, Weiß, Groß",
        "Maschinenbau, Bäckerei, Spedition", "GmbH, AG, OHG"),
    "LU": _country("+352", "EUR", "1145|Luxembourg|fr;4011|Esch-sur-Alzette|fr", "rue des Romains, Grand-Rue",
        "Claude, Martine, Romain", "Weber, Schmit, Reuter", "Immobilier, Garage", "S.à r.l., S.A."),
    "GB": _country("+44", "GBP", "SW1A 1AA|London|en;M1 1AE|Manchester|en;EH1 1YZ|Edinburgh|en",
        "High Street, Station Road, Mill Lane", "Oliver, Charlotte, Alistair", "Smith, O'Neill, MacDonald, Hughes",
        "Engineering, Interiors, Supplies", "Ltd, PLC, LLP"),
    "IE": _country("+353", "EUR", "D02 X285|Dublin|en;T12 X70A|Cork|en", "Main Street, Patrick Street",
        "Seán, Niamh, Ciarán", "Ó Briain, Murphy, Ní Dhomhnaill", "Foods, Freight", "Ltd, DAC"),
    "ES": _country("+34", "EUR", "28013|Madrid|es;08002|Barcelona|es;46001|Valencia|es", "Calle Mayor, Gran Vía",
        "José, Begoña, Íñigo", "García, Núñez, Ibáñez, López", "Construcciones, Bodegas", "S.L., S.A."),
    "PT": _country("+351", "EUR", "1100-148|Lisboa|pt;4000-322|Porto|pt", "Rua Augusta, Avenida da Liberdade",
        "João, Conceição, Tomás", "Gonçalves, Simões, Araújo", "Cortiças, Têxteis", "Lda., S.A."),
    "IT": _country("+39", "EUR", "00184|Roma|it;20121|Milano|it;10121|Torino|it", "Via Roma, Corso Italia",
        "Niccolò, Giulia, Matteo", "Rossi, D'Angelo, Nicolò", "Ceramiche, Arredamenti", "S.r.l., S.p.A."),
    "AT": _country("+43", "EUR", "1010|Wien|de;5020|Salzburg|de", "Ringstraße, Kirchengasse", "Günther, Elfriede",
        "Gruber, Höller, Pichler", "Tischlerei, Weinhandel", "GmbH, KG"),
    "CH": _country("+41", "CHF", "8001|Zürich|de;1201|Genève|fr", "Bahnhofstrasse, Rue du Rhône", "Urs, Séverine",
        "Bürgi, Favre, Zürcher", "Uhren, Treuhand", "AG, GmbH, Sàrl"),
    "DK": _country("+45", "DKK", "1050|København|da;8000|Aarhus|da", "Nørregade, Åboulevarden", "Søren, Åse",
        "Sørensen, Kjær, Østergaard", "Byg, Fiskeri", "ApS, A/S"),
    "SE": _country("+46", "SEK", "111 20|Stockholm|sv;411 01|Göteborg|sv", "Storgatan, Ängsvägen", "Åke, Linnéa",
        "Sjöberg, Lindström, Åkesson", "Möbler, Bygg", "AB, HB"),
    "NO": _country("+47", "NOK", "0150|Oslo|no;5003|Bergen|no", "Kirkegata, Øvregaten", "Bjørn, Ingrid",
        "Bråten, Sæther", "Rederi, Bygg", "AS, ASA"),
    "FI": _country("+358", "EUR", "00100|Helsinki|fi;33100|Tampere|fi", "Mannerheimintie, Hämeenkatu", "Väinö, Päivi",
        "Mäkinen, Hämäläinen", "Puutyö, Kuljetus", "Oy, Oyj"),
    "PL": _country("+48", "PLN", "00-001|Warszawa|pl;80-001|Gdańsk|pl;30-001|Kraków|pl", "ulica Długa, ulica Lipowa",
        "Łukasz, Małgorzata, Zbigniew", "Wójcik, Dąbrowski, Kamiński", "Transport, Meble", "Sp. z o.o., S.A."),
    "CZ": _country("+420", "CZK", "110 00|Praha|cs;602 00|Brno|cs", "Dlouhá, Nádražní", "Jiří, Zdeňka",
        "Dvořák, Černý", "Strojírna, Pekárna", "s.r.o., a.s."),
    "HU": _country("+36", "HUF", "1051|Budapest|hu;4024|Debrecen|hu", "Fő utca, Kossuth tér", "Zsófia, Győző",
        "Szűcs, Kőszegi", "Gépgyár, Pékség", "Kft., Zrt."),
    "RO": _country("+40", "RON", "010011|București|ro;400001|Cluj-Napoca|ro", "Strada Lungă, Bulevardul Unirii",
        "Ștefan, Ioana", "Țurcanu, Năstase", "Construcții, Mobilă", "SRL, SA"),
    "BG": _country("+359", "EUR", "1000|София|bg;9000|Варна|bg", "улица Шипка, булевард Витоша", "Георги, Цветелина",
        "Димитров, Желязкова", "Транспорт, Строеж", "ООД, АД"),
    "GR": _country("+30", "EUR", "105 57|Αθήνα|el;546 24|Θεσσαλονίκη|el", "Οδός Ερμού, Λεωφόρος Νίκης",
        "Γιώργος, Ελένη", "Παπαδόπουλος, Οικονόμου", "Τρόφιμα, Μεταφορές", "Α.Ε., Ε.Π.Ε."),
    "TR": _country("+90", "TRY", "34110|İstanbul|tr;06050|Ankara|tr", "Bağdat Caddesi, Çınar Sokak", "Gülşen, Ömer",
        "Yıldız, Çağlar", "Tekstil, İnşaat", "A.Ş., Ltd. Şti."),
    "UA": _country("+380", "EUR", "01001|Київ|uk;79000|Львів|uk", "вулиця Хрещатик, площа Ринок", "Олена, Сергій",
        "Шевченко, Їжакевич", "Агро, Меблі", "ТОВ, ПрАТ"),
    "US": _country("+1", "USD", "10001|New York|en;60601|Chicago|en", "5th Avenue, Main Street", "Emily, Tyrone",
        "Johnson, Nguyen", "Foods, Logistics", "Inc., LLC"),
    "CN": _country("+86", "USD", "200001|上海|zh;100006|北京|zh", "南京东路, 王府井大街", "伟, 秀英", "王, 李",
        "贸易, 机械", "有限公司, 股份有限公司"),
    "AE": _country("+971", "USD", "00000|دبي|ar;00000|أبوظبي|ar", "شارع الشيخ زايد, شارع الكورنيش", "محمد, فاطمة",
        "المنصوري, الهاشمي", "للتجارة, للمقاولات", "ذ.م.م, ش.م.ع"),
    "JP": _country("+81", "JPY", "100-0001|東京|ja;530-0001|大阪|ja", "千代田, 梅田", "健太, 美咲", "佐藤, 鈴木",
        "商事, 工業", "株式会社, 合同会社"),
    "KW": _country("+965", "KWD", "13001|الكويت|ar", "شارع الخليج العربي, شارع السالم", "عبدالله, نورة",
        "الصباح, العنزي", "للتوريدات, للسفن", "ذ.م.م, ش.م.ك"),
    "UY": _country("+598", "USD", "11000|Montevideo|es;20000|Punta del Este|es", "Avenida 18 de Julio, Rambla",
        "Joaquín, Lucía", "Rodríguez, Muñoz", "Ganadera, Importadora", "S.A., S.R.L."),
}  # fmt: skip
PUBLIC_BODIES = {
    "nl": ("Gemeente {town}", "OCMW {town}", "Politiezone {town}"),
    "fr": ("Commune de {town}", "CPAS de {town}", "Lycée public de {town}"),
    "de": ("Stadt {town}", "Gemeinde {town}"),
    "en": ("{town} City Council",),
    "es": ("Ayuntamiento de {town}",),
    "it": ("Comune di {town}",),
    "pl": ("Gmina {town}",),
    "el": ("Δήμος {town}",),
}
