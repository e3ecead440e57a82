"""Files that the configuration names: found relative to it, and opened at load so that mistakes show then.

Apart from `source`, the only module of the package that reads files.
"""

from __future__ import annotations

import errno
import stat
from pathlib import Path

from corsproxy.config.certificates import authorities_faults, not_valid_now, pair_faults
from corsproxy.config.origin_files import MAX_BYTES, OriginLine, parse_lines
from corsproxy.config.problems import RefusedError, Report
from corsproxy.config.source import why_unreadable
from corsproxy.escape import quote_path


class Files:
    """The files of one configuration; problems with them go to its report."""

    def __init__(self, file: str, report: Report, *, tries_certificates: bool) -> None:
        """`tries_certificates`: see `load_file`."""
        self.named: dict[str, None] = {}
        """The path of every file that was looked for, whether or not it exists, in the order of the configuration."""
        self._directory = Path(file).parent
        self._origins: dict[str, list[OriginLine]] = {}
        """By path: policies may share a file."""
        self._report = report
        self._tries_certificates = tries_certificates

    def find_pair(self, path: str, certificate_name: str | None, key_name: str | None) -> tuple[str | None, str | None]:
        """Return the paths of a certificate and its key; problems are reported below the key path `path`."""
        certificate = self._find(f"{path}.certificate", certificate_name)
        private_key = self._find(f"{path}.private_key", key_name)
        if self._tries_certificates and certificate and private_key:
            try:
                faults = pair_faults(certificate, private_key)
                doubt = None if faults else not_valid_now(certificate)
            except OSError as error:
                self._report_unreadable(path, certificate, error)
            else:
                for fault in faults:
                    self._report.error(f"{path}.{fault.key}", "invalid", fault.message)
                if doubt is not None:
                    self._report.warning(f"{path}.certificate", "invalid", doubt)
        return certificate, private_key

    def find_authorities(self, path: str, name: str | None) -> str | None:
        """Return the path of a file of authorities; problems are reported at the key path `path`."""
        found = self._find(path, name)
        if self._tries_certificates and found:
            try:
                for fault in authorities_faults(found):
                    self._report.error(path, "invalid", fault.message)
            except OSError as error:
                self._report_unreadable(path, found, error)
        return found

    def read_origins(self, path: str, name: str) -> tuple[str, list[OriginLine]] | None:
        """Return the path of a file of origins and its lines, or None; problems are reported at the key path `path`."""
        found = str(self._directory / name)
        if found in self._origins:
            self.named[found] = None
        elif self._find(path, name) is None:
            return None
        else:
            try:
                with open(found, "rb") as opened:
                    content = opened.read(MAX_BYTES + 1)
                if len(content) > MAX_BYTES:
                    raise RefusedError(f"invalid size of {quote_path(found)}: more than {MAX_BYTES} bytes")
                self._origins[found] = parse_lines(content)
            except OSError as error:
                self._report_unreadable(path, found, error)
                return None
            except RefusedError as refused:
                self._report.error(path, refused.reason, refused.message)
                return None
        return found, self._origins[found]

    def _find(self, path: str, name: str | None) -> str | None:
        """Return the path of a file, or None after a report that it is missing or unreadable."""
        if name is None:
            return None
        found = self._directory / name
        self.named[str(found)] = None
        try:
            if stat.S_ISFIFO(found.stat().st_mode):
                raise OSError(errno.ESPIPE, "it is a pipe, which can be read once only; name a file")
            with found.open("rb") as opened:
                opened.read(1)
        except FileNotFoundError:
            self._report.error(
                path, "missing", f"missing file {quote_path(str(found))}: paths are relative to the configuration"
            )
            return None
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            self._report_unreadable(path, str(found), error)
            return None
        return str(found)

    def _report_unreadable(self, path: str, found: str, error: OSError | ValueError) -> None:
        self._report.error(path, "unreadable", f"unreadable file {quote_path(found)}: {why_unreadable(error)}")
