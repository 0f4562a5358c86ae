"""Lays out the folder a private RabbitMQ runs in: program, settings, cookie, environment.

It starts nothing and chooses no port that clients see.
"""

import os
import re
import secrets
from pathlib import Path

from tests.servers import install, places, processes

PLUGINS = ("rabbitmq_management", "rabbitmq_auth_mechanism_ssl")
# What RabbitMQ has when nothing is configured.
MEMORY_WATERMARK = "0.4"
# Schedulers without work sleep at once: two cores are shared with everything else.
IDLE = "+sbwt none +sbwtdcpu none +sbwtdio none"


def lay_out(
    folder: Path, name: str, port: int, management_port: int, settings: str
) -> dict[str, str]:
    """Fill the folder for the node of this name; returns the environment to run it in."""
    cookie = folder / ".erlang.cookie"
    cookie.write_text(secrets.token_hex(16))
    cookie.chmod(0o400)
    _link_program(folder / "home")
    (folder / "plugins").write_text(f"[{','.join(PLUGINS)}].\n")
    (folder / "rabbitmq-env.conf").touch()
    (folder / "rabbitmq.conf").write_text(
        f"listeners.tcp.1 = 127.0.0.1:{port}\n"
        "management.tcp.ip = 127.0.0.1\n"
        f"management.tcp.port = {management_port}\n"
        f"vm_memory_high_watermark.relative = {MEMORY_WATERMARK}\n"
        # The alarm for a full disk is never what a test is about.
        "disk_free_limit.absolute = 1MB\n"
        "log.console = true\n"
        "log.console.level = warning\n"
        f"{settings}\n"
    )
    return _environment(name, folder)


def tls_listener(port: int, files: Path) -> str:
    """Settings for a listener that takes only offices with a certificate, by that alone or with it.

    The files are those that `zhitong certificates broker` writes.
    """
    return (
        f"listeners.ssl.1 = 127.0.0.1:{port}\n"
        f"ssl_options.cacertfile = {files / 'ca.pem'}\n"
        f"ssl_options.certfile = {files / 'server.pem'}\n"
        f"ssl_options.keyfile = {files / 'server.key'}\n"
        "ssl_options.verify = verify_peer\n"
        "ssl_options.fail_if_no_peer_cert = true\n"
        "ssl_options.depth = 0\n"
        "ssl_cert_login_from = common_name\n"
        "auth_mechanisms.1 = EXTERNAL\n"
        "auth_mechanisms.2 = PLAIN\n"
    )


def _link_program(home: Path) -> None:
    """Make a RabbitMQ of links to the installed one, without the plugins that are not used.

    On its way up a node looks through all plugins, used or not: this saves a third of that time.
    """
    scripts = install.rabbitmq_scripts()
    if scripts is None:
        raise processes.ServerError("RabbitMQ is not installed: see tests/servers/install.py")
    installed = (scripts / "rabbitmq-server").resolve().parent.parent
    (home / "plugins").mkdir(parents=True)
    for folder in ("sbin", "escript"):
        (home / folder).symlink_to(installed / folder)
    plugins = {path.name.split("-")[0]: path for path in (installed / "plugins").iterdir()}
    needed = {"rabbit", *PLUGINS}
    while more := {name for user in needed for name in _uses(plugins.get(user))} - needed:
        needed |= more
    for name, path in plugins.items():
        if name in needed or not name.startswith("rabbitmq_"):
            (home / "plugins" / path.name).symlink_to(path)


def _uses(plugin: Path | None) -> list[str]:
    """The applications a plugin names as needed."""
    if plugin is None:
        return []
    [description] = plugin.glob("ebin/*.app")
    found = re.search(r"\{applications,\s*\[([^\]]*)\]", description.read_text())
    return re.findall(r"\w+", found[1]) if found else []


def _environment(name: str, folder: Path) -> dict[str, str]:
    """The whole environment of the node and its tools: nothing of the system's node leaks in."""
    loopback = "-kernel inet_dist_use_interface {127,0,0,1}"
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": str(folder),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(places.free_port()),
        "ERL_CRASH_DUMP_SECONDS": "0",
        "RABBITMQ_NODENAME": name,
        "RABBITMQ_DIST_PORT": str(places.free_port()),
        "RABBITMQ_CTL_DIST_PORT_MIN": str(places.free_port()),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "rabbitmq-env.conf"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_SCHEMA_DIR": str(folder / "schema"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"{loopback} -start_epmd false {IDLE}",
        "RABBITMQ_CTL_ERL_ARGS": f"{loopback} -start_epmd false",
        # Makes the script become the node instead of its parent, so that signals meet the node.
        "RUNNING_UNDER_SYSTEMD": "true",
    }
