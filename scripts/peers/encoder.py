"""A pretrained encoder under a new head, as a user of transformers would fine-tune it."""

import transformers
from torch import nn

from data import Texts


class Pieces(Texts):
    """Texts as word pieces, by the encoder's own tokenizer."""

    def __init__(self, folder, texts, longest):
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        self.texts, self.ids = texts, self.tokenizer(texts, truncation=True, max_length=longest)["input_ids"]

    def batch(self, rows, recipe=None):
        padded = self.tokenizer.pad({"input_ids": [self.ids[row] for row in rows.tolist()]}, return_tensors="pt")
        return padded["input_ids"], padded["attention_mask"]


class Encoder(nn.Module):
    """The pooled first piece under a linear layer. As in ours, attention weights are not dropped."""

    def __init__(self, folder, outputs, dropout=0.1):
        super().__init__()
        self.bert = transformers.AutoModelForSequenceClassification.from_pretrained(
            folder, num_labels=outputs, hidden_dropout_prob=dropout, attention_probs_dropout_prob=0.0)

    def forward(self, ids, mask):
        return self.bert(input_ids=ids, attention_mask=mask).logits
