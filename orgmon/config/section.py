"""What the sections of accounts.yaml are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

AccountId = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$", strict=True)]
OrganizationId = Annotated[str, StringConstraints(pattern=r"^o-[a-z0-9]{10,32}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=128)]
UnitPath = Annotated[str, StringConstraints(pattern=r"^[^/]+(/[^/]+)*$")]
Percentage = Annotated[int, Field(strict=True, ge=0, le=100)]


class Section(BaseModel):
    """A part of the file. Unknown keys are refused; nothing changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Selector(Section):
    """Some accounts: those in any of the units, with any of the tags, or listed."""

    units: tuple[UnitPath, ...] = Field(
        (),
        description="Organizational units with all below them, by their paths or ids; Root is all",
    )
    tags: dict[str, str] = Field({}, description="Accounts that carry any of these tags")
    accounts: tuple[AccountId, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True where nothing is selected."""
        return not (self.units or self.tags or self.accounts)
