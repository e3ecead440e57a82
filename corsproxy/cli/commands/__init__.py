"""The commands, each in a module of its name."""

from corsproxy.cli.commands.check import check
from corsproxy.cli.commands.demo import demo
from corsproxy.cli.commands.explain import explain
from corsproxy.cli.commands.healthcheck import healthcheck
from corsproxy.cli.commands.init import init
from corsproxy.cli.commands.learn import learn
from corsproxy.cli.commands.probe import probe
from corsproxy.cli.commands.schema import schema
from corsproxy.cli.commands.serve import serve
from corsproxy.cli.commands.verify import verify

COMMANDS = (serve, check, explain, probe, verify, learn, init, schema, healthcheck, demo)
