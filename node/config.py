"""Configuration of one office: a TOML file, overridden by ZHITONG_… environment variables.

`ZHITONG_DATABASE__URL` overrides `url` in `[database]`, and so on. Paths are relative to the
folder that holds the file. Secrets (broker addresses with passwords) belong into the environment
or into a file that only the service's user may read.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from node.errors import ConfigurationError
from protocol.offices import Level, Line, NodeName, OfficeReference

FILE_NAME = "zhitong.toml"


class Section(BaseModel):
    """A table of the file; an unknown key is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class OfficeSettings(Section):
    """Who this office is."""

    id: NodeName
    name: Line
    level: Level
    region_code: Annotated[str, Field(pattern=r"^[0-9]{6}$")] | None = None

    @property
    def reference(self) -> OfficeReference:
        """The office as messages name it."""
        return OfficeReference(id=self.id, name=self.name, level=self.level)


class ParentSettings(OfficeSettings):
    """The office above. `broker` is dialled instead of what its welcome said (`[keys]`)."""

    broker: str | None = None


class HubSettings(Section):
    """This office's own broker, for the offices below. `management` is its HTTP API.

    `address` is what those offices dial; `broker` without its account, unless it is given. With an
    account in it, all of them use that one; without, each is given its own, through `management`.
    """

    broker: str
    management: str | None = None
    address: str | None = None


class DatabaseSettings(Section):
    """`sqlite+aiosqlite:///…` or `postgresql+asyncpg://…`."""

    url: str = "sqlite+aiosqlite:///zhitong.sqlite"
    pool_size: int = Field(default=5, ge=1, le=100)


class KeySettings(Section):
    """Where keys and certificates lie."""

    node_key: Path = Path("keys/node.key")
    node_chain: Path = Path("keys/node.pem")
    issuing_key: Path = Path("keys/issuing.key")
    issuing_chain: Path = Path("keys/issuing.pem")
    root: Path = Path("keys/root.pem")
    parent_broker: Path = Path("keys/parent-broker.url")
    """What the welcome said: the address of the broker above, with an account if it has one."""
    passphrase_file: Path | None = None
    passphrase: SecretStr | None = None
    """From the environment alone: beside the keys it protects nothing. Read by `node/keys`."""

    @property
    def places(self) -> tuple[Path, ...]:
        """The files of keys, certificates and the broker above, without the passphrase."""
        issuing = (self.issuing_key, self.issuing_chain)
        return (self.node_key, self.node_chain, *issuing, self.root, self.parent_broker)


class WebSettings(Section):
    """Where pages and API are served. `secure_cookies` is off for plain HTTP on loopback only.

    `trusted_proxies` are addresses or networks whose `X-Forwarded-For` names the real client. With
    `certificate` (PEM, the chain) and `key` they are served over TLS, without a proxy before them.
    `design` shows `/design`, the components of the pages, to those who work on them.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    secure_cookies: bool = True
    session_hours: int = Field(default=12, ge=1, le=168)
    trusted_proxies: list[str] = ["127.0.0.1", "::1"]
    certificate: Path | None = None
    key: Path | None = None
    design: bool = False

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together")
        return self


class RelaySettings(Section):
    """How messages are sent. Times in seconds. `poll` is how often loops look that nobody woke.

    `plain_amqp` allows brokers on other machines to be dialled without TLS.
    """

    window: int = Field(default=2_000, ge=1, le=10_000)
    batch: int = Field(default=500, ge=1, le=1_000)
    receipt_within: float = Field(default=30.0, gt=0)
    first_probe: float = Field(default=30.0, gt=0)
    longest_probe: float = Field(default=3600.0, gt=0)
    piece_within: float = Field(default=120.0, gt=0)
    poll: float = Field(default=30.0, gt=0)
    plain_amqp: bool = False


class CertificateSettings(Section):
    """Who approves that an office below renews its certificate: its good standing, or a person.

    `stale_list` is what becomes of messages while the revocation list of an office above their
    sender is long overdue. Lists themselves are always taken in.
    """

    renewal: Literal["automatic", "administrator"] = "automatic"
    stale_list: Literal["warn", "refuse"] = "warn"


FileType = Literal[
    "pdf",
    "ofd",
    "docx",
    "xlsx",
    "pptx",
    "doc",
    "xls",
    "ppt",
    "txt",
    "csv",
    "jpg",
    "jpeg",
    "png",
    "gif",
    "webp",
    "mp3",
    "m4a",
    "mp4",
]
"""Extensions of the files that an office can take: documents, pictures, sound and film that show
what they hold. No archives: nobody sees what is in them, and they can hold anything."""


PHRASES = (
    "绝密",
    "机密",
    "秘密★",
    "秘密☆",
    "涉密",
    "国家秘密",
    "内部资料注意保存",
    "内部文件",
    "不得外传",
    "不得翻印",
    "不得公开",
)
"""What secret and internal documents carry, and harmless texts at times: a warning, no more."""


def _pattern(pattern: str) -> str:
    try:
        told = {pattern.format(year=year, number=number) for year in (1, 2) for number in (1, 2)}
    except (LookupError, ValueError) as error:
        raise ValueError("a pattern names {year} and {number}, and nothing else") from error
    if len(told) < 4 or max(map(len, told)) > 60:
        raise ValueError("a pattern names {year} and {number}, and gives 60 characters at most")
    return pattern


class LimitSettings(Section):
    """What an author may enter, and what files are taken from the offices below.

    An author who wrote one of the `phrases`, with whatever space within, is asked once more.

    The pieces of an item's files are listed in its message, which the next offices carry on as
    evidence: with more than 250 MB it might become too large on its way to the top.
    """

    title_characters: int = Field(default=60, ge=1, le=200)
    body_characters: int = Field(default=3_000, ge=1, le=20_000)
    file_megabytes: int = Field(default=50, ge=1, le=250)
    item_megabytes: int = Field(default=200, ge=1, le=250)
    file_types: frozenset[FileType] = frozenset(get_args(FileType))
    phrases: tuple[Line, ...] = PHRASES

    @property
    def file_bytes(self) -> int:
        """The largest file."""
        return self.file_megabytes * 1024 * 1024

    @property
    def item_bytes(self) -> int:
        """The most that all files of one item may have together."""
        return self.item_megabytes * 1024 * 1024


Pattern = Annotated[str, AfterValidator(_pattern)]


class NumberSettings(Section):
    """How the office writes its numbers. Each pattern has {year} and {number}, or {number:04}.

    A number of the register is given at registration, that of an issue when it is signed; both
    begin anew each year.
    """

    register_number: Pattern = "{year}-{number:04}"
    general_issue: Pattern = "《社情民意》{year}年第{number}期"
    special_report: Pattern = "《社情民意专报》{year}年第{number}期"
    urgent_relay: Pattern = "《社情民意转报》{year}年第{number}期"
    referral: Pattern = "《社情民意转送》{year}年第{number}号"


class PeopleSettings(Section):
    """How many years after somebody left, or a citizen wrote, his contact data are kept."""

    keep_contact_years: int = Field(default=2, ge=0, le=50)


class RetentionSettings(Section):
    """How many years a closed item is kept, by what became of it. Nothing is removed by itself."""

    adopted_years: int = Field(default=30, ge=1, le=200)
    other_years: int = Field(default=10, ge=1, le=200)


class StorageSettings(Section):
    """Where attachments lie. Pages and relay of one office share this folder."""

    folder: Path = Path("files")


class Settings(BaseSettings):
    """Everything about one office."""

    model_config = SettingsConfigDict(
        env_prefix="ZHITONG_", env_nested_delimiter="__", frozen=True, extra="forbid"
    )

    folder: Path
    office: OfficeSettings
    parent: ParentSettings | None = None
    hub: HubSettings | None = None
    database: DatabaseSettings = DatabaseSettings()
    keys: KeySettings = KeySettings()
    web: WebSettings = WebSettings()
    relay: RelaySettings = RelaySettings()
    certificates: CertificateSettings = CertificateSettings()
    limits: LimitSettings = LimitSettings()
    files: StorageSettings = StorageSettings()
    people: PeopleSettings = PeopleSettings()
    retention: RetentionSettings = RetentionSettings()
    numbers: NumberSettings = NumberSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file."""
        return env_settings, init_settings

    def path(self, relative: Path) -> Path:
        """A path of the configuration, seen from where the process runs."""
        return self.folder / relative

    @property
    def database_url(self) -> str:
        """The database's address, with a SQLite file placed inside the folder."""
        prefix = "sqlite+aiosqlite:///"
        url = self.database.url
        if url.startswith(prefix):
            return prefix + str((self.folder / url.removeprefix(prefix)).resolve())
        return url


class FileSettings(Settings):
    """What the file alone says: for a folder that is still being set up."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment is not asked."""
        return (init_settings,)


def load(path: Path, kind: type[Settings] = Settings) -> Settings:
    """Read a configuration file, or the one in a folder. Raises `ConfigurationError`."""
    file = path
    try:
        file = path / FILE_NAME if path.is_dir() else path
        content: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise ConfigurationError(f"cannot read {file}: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{file} is not TOML: {error}") from error
    return build(file.parent, content, name=str(file), kind=kind)


def build(
    folder: Path,
    content: dict[str, Any],
    *,
    name: str = FILE_NAME,
    kind: type[Settings] = Settings,
) -> Settings:
    """Settings from the content of a file. Raises `ConfigurationError`."""
    if "folder" in content:
        raise ConfigurationError(f"{name}: folder: Extra inputs are not permitted")
    if isinstance(named := content.get("keys"), dict) and "passphrase" in named:
        raise ConfigurationError(
            f"{name}: keys.passphrase: a passphrase beside its keys protects nothing; name a file "
            "in keys.passphrase_file, or set ZHITONG_KEYS__PASSPHRASE"
        )
    try:
        return kind(folder=folder, **content)
    except SettingsError as error:
        raise ConfigurationError(f"an environment variable ZHITONG_…: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"{name}: {where}: {first['msg']}") from error
