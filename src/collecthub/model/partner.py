"""Partners as routing sees them, the ways they propose for a case, and what stops one."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from collecthub.model.licence import Licence
from collecthub.model.route_option import RouteOption
from collecthub.model.rungs import RungClocks


class RouteProposal(RouteOption, frozen=True, kw_only=True, gc=False):
    """One possible way for a case, before one is chosen. Lower `rank` is better; without a partner it says why not.

    What the comparison shows of it is kept as a `RouteOption` afterwards: its fields are the same.
    """

    procedure: str
    standing: str = "possible"
    is_automatic: bool = True  # false: only a person chooses it, because it costs before it brings anything


class Withdrawal(msgspec.Struct, frozen=True, kw_only=True):
    """What a partner asks when a case is taken back: nothing within `free_days`, then `fee_percent` of what is open."""

    free_days: int = 0
    fee_percent: Decimal = Decimal(0)


class PartnerProfile(msgspec.Struct, frozen=True, kw_only=True):
    """What routing and feasibility need to know of a partner. Empty tuples mean no restriction.

    None means not recorded: licences, withdrawal rules, whether standard clauses on data transfers are signed. `needs`
    are the papers it takes no case without (`collecthub.model.mandate`). A partner of the demo network is no partner of
    anybody: it is counted apart.
    """

    partner_id: str
    name: str
    role: str  # bailiff, lawyer, agency
    countries: tuple[str, ...]
    currencies: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    minimum_amount: Decimal = Decimal(0)
    is_open: bool = True
    minimum_currency: str = ""
    maximum_amount: Decimal | None = None
    work_country: str = ""  # where it works on personal data
    licences: tuple[Licence, ...] | None = None
    has_signed_clauses: bool | None = None
    channels: tuple[str, ...] = ()  # sftp, soap, rest, mailbox, web
    capacity: int = 0  # the most open cases it holds at once; 0 is no limit
    needs: tuple[str, ...] = ()
    withdrawal: Withdrawal | None = None
    clocks: RungClocks = RungClocks()  # what the partner promises for each rung
    is_demo: bool = False
    office_country: str = ""  # where its people sit, where that is not `work_country`

    @property
    def home(self) -> str:
        """The country of its office, whose days off and clock are its own; empty where nothing says which it is.

        Of several countries without more words it is the first in which a register knows it, by its licence.

        >>> two = PartnerProfile(partner_id="a", name="A", role="agency", countries=("AR", "UY"))
        >>> two.home, msgspec.structs.replace(two, licences=(Licence(country="UY", number="7"),)).home
        ('', 'UY')
        """
        if len(self.countries) == 1 and not (self.office_country or self.work_country):
            return self.countries[0]
        registered = (held.country for held in self.licences or () if held.number and held.country in self.countries)
        return self.office_country or self.work_country or next(registered, "")


class Veto(msgspec.Struct, frozen=True, kw_only=True):
    """A reason why a placement must not leave."""

    code: str
    reason: str
    vetoed_by: str
    article: str = ""  # where the law forbids it
