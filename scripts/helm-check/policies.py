"""The policies in helm/policies, which are Rego, asked about every document."""

import json

from charts import HELM
from regopy import Interpreter

FOLDER = HELM / "policies"


class Policies:
    def __init__(self):
        self.rego = Interpreter()
        for path in sorted(FOLDER.glob("*.rego")):
            self.rego.add_module(path.name, path.read_text())
        # Rendered for several versions, most documents are the same.
        self.known = {}

    def findings(self, documents):
        for document in documents:
            key = json.dumps(document, sort_keys=True)
            if key not in self.known:
                self.known[key] = self.ask(document)
            yield from self.known[key]

    def ask(self, document):
        self.rego.set_input(document)
        answer = self.rego.query("data.main.deny")
        return sorted(json.loads(str(answer))["expressions"][0])
