"""Says of each event in a JSON list on standard input which of the patterns match it, by moto's EventBridge."""
import json
import sys

from moto.events.models import EventPattern

asked = json.load(sys.stdin)
json.dump(
    [[name for name, pattern in asked["patterns"].items() if EventPattern(None, pattern).matches_event(event)] for event in asked["events"]],
    sys.stdout,
)
