//! The table of GLUE's tasks: files, checksums, columns, classes, sources.

use super::{Glue, mrpc};
use crate::fetchable::{Download, Packing, Transport};
use crate::store::DataFile;
use crate::tsv::{GlueColumns, GlueTarget};

/// A citation of the data and of GLUE, which defined the layout of the files.
macro_rules! cite {
    ($work:literal) => {
        concat!($work, " In the layout of: Alex Wang et al. GLUE. ICLR 2019.")
    };
}

/// An archive of this name at GLUE's official place, with `files` in `folder`.
macro_rules! archive {
    ($name:literal, $folder:literal, $max_bytes:expr, $files:expr) => {
        &Transport {
            folder: $folder,
            downloads: &[Download {
                url: concat!("https://dl.fbaipublicfiles.com/glue/data/", $name),
                name: $name,
                packing: Packing::Zip,
                max_bytes: $max_bytes,
                files: $files,
            }],
        }
    };
}

const MB: u64 = 1_000_000;
const NOT_STATED: &str = "none stated with the data";
const YES_NO: &[&str] = &["0", "1"];
const ENTAILMENT: GlueTarget =
    GlueTarget::Classes { words: &["entailment", "not_entailment"], names: &["entailment", "not_entailment"] };

const fn single(text: &'static [&'static str]) -> GlueColumns {
    GlueColumns { columns: None, texts: text, target: Some("label"), empty_texts: false, broken_lines: false }
}

/// The columns of a task of pairs. `empty_texts` is set for the tasks of whose files no checked copy was available.
const fn pairs(texts: &'static [&'static str], target: &'static str, empty_texts: bool) -> GlueColumns {
    GlueColumns { columns: None, texts, target: Some(target), empty_texts, broken_lines: false }
}

/// CoLA: is a sentence acceptable English?
pub static COLA: Glue = Glue {
    id: "glue/cola",
    about: "sentences from linguists' publications, acceptable or not",
    licence: NOT_STATED,
    citation: cite!(
        "Alex Warstadt, Amanpreet Singh, Samuel R. Bowman. Neural Network Acceptability Judgments. TACL 2019."
    ),
    kind: GlueTarget::Classes { words: YES_NO, names: &["unacceptable", "acceptable"] },
    layout: GlueColumns { columns: Some(&["source", "label", "mark", "sentence"]), ..single(&["sentence"]) },
    train_rows: 8_551,
    test_rows: 1_043,
    files: &COLA_FILES,
    further: &[],
    hidden: &["test"],
    transport: archive!("CoLA.zip", "CoLA", MB, &COLA_FILES),
    derive: None,
};

static COLA_FILES: [DataFile; 3] = [
    DataFile::sha256(
        "glue/cola/train.tsv",
        428_590,
        "cb368ebeb9f27d7ad03720d27ddc95687a311bdb100781a2fe59a5f5b1bc0624",
    ),
    DataFile::sha256("glue/cola/dev.tsv", 53_717, "8c013e21dc39957cac37378d87bebe225b694a0d5fe13eded66c2856628833fd"),
    DataFile::sha256("glue/cola/test.tsv", 48_788, "3b4df85f7a9a0633574b38d181e18090ac961a24b18fb6bcd74999ddea8ad0b8"),
];

/// SST-2: is a phrase from a film review positive or negative?
pub static SST2: Glue = Glue {
    id: "glue/sst2",
    about: "phrases from film reviews, positive or negative",
    licence: NOT_STATED,
    citation: cite!(
        "Richard Socher et al. Recursive Deep Models for Semantic Compositionality Over a Sentiment Treebank. EMNLP 2013."
    ),
    kind: GlueTarget::Classes { words: YES_NO, names: &["negative", "positive"] },
    layout: single(&["sentence"]),
    train_rows: 67_349,
    test_rows: 872,
    files: &SST2_FILES,
    further: &[],
    hidden: &["test"],
    transport: archive!("SST-2.zip", "SST-2", 10 * MB, &SST2_FILES),
    derive: None,
};

static SST2_FILES: [DataFile; 3] = [
    DataFile::sha256(
        "glue/sst2/train.tsv",
        3_806_081,
        "48eac26399f8456935f81dd9e3a745c1430adb6c62e233ccfe22db4a0d15d1d1",
    ),
    DataFile::sha256("glue/sst2/dev.tsv", 94_931, "54a9c12c77e402fc14d6a66a506f24d999f596b0176eb777c972cccc2f9cc4b0"),
    DataFile::sha256("glue/sst2/test.tsv", 197_335, "69a938605609b3e6663b4487918fe1565eb293734e6e520d0366d1d412fd2a13"),
];

/// MRPC: do two sentences from the news say the same?
pub static MRPC: Glue = Glue {
    id: "glue/mrpc",
    about: "pairs of sentences from the news, equivalent in meaning or not",
    licence: "Microsoft Research: not to be redistributed",
    citation: cite!(
        "William B. Dolan, Chris Brockett. Automatically Constructing a Corpus of Sentential Paraphrases. IWP 2005."
    ),
    kind: GlueTarget::Classes { words: YES_NO, names: &["not_equivalent", "equivalent"] },
    layout: pairs(&["#1 String", "#2 String"], "Quality", false),
    train_rows: 3_668,
    test_rows: 408,
    files: &MRPC_FILES,
    further: &[],
    hidden: &["test"],
    transport: &mrpc::TRANSPORT,
    derive: Some(mrpc::derive),
};

static MRPC_FILES: [DataFile; 3] = [
    DataFile::sha256(
        "glue/mrpc/train.tsv",
        941_471,
        "69abcedee3cf738c6ce58d772e43e1b7cdf5b4edee4aceda459c0d9f4e5599f3",
    ),
    DataFile::sha256("glue/mrpc/dev.tsv", 105_616, "9e8f284788040f7c9ecde2e1b3c07237c756f926bd9ef8548ef5d34b56f69f17"),
    DataFile::sha256("glue/mrpc/test.tsv", 445_335, "aee460ceda833926b8ab2ad952d399f5cf8bc9335cff19afcac03dc449558622"),
];

/// STS-B: how alike are two sentences, from 0 to 5?
pub static STSB: Glue = Glue {
    id: "glue/stsb",
    about: "pairs of sentences from news, captions and forums, with their similarity from 0 to 5",
    licence: "several, by the sources of the sentences: see LICENSE.txt of the STS benchmark",
    citation: cite!(
        "Daniel Cer et al. SemEval-2017 Task 1: Semantic Textual Similarity, Multilingual and Crosslingual Focused Evaluation. SemEval 2017."
    ),
    kind: GlueTarget::Score { least: 0.0, most: 5.0 },
    layout: pairs(&["sentence1", "sentence2"], "score", false),
    train_rows: 5_749,
    test_rows: 1_500,
    files: &STSB_FILES,
    further: &[],
    hidden: &["test"],
    transport: archive!("STS-B.zip", "STS-B", 10 * MB, &STSB_FILES),
    derive: None,
};

static STSB_FILES: [DataFile; 3] = [
    DataFile::sha256(
        "glue/stsb/train.tsv",
        984_099,
        "41c4d978b6162abdcada7e49a982211954cca5459c228db478af333124b257a2",
    ),
    DataFile::sha256("glue/stsb/dev.tsv", 276_928, "fe7dc0632a5033562f3cadff991f6e8d9b9b6311861660e78c3c82eb7db67f59"),
    DataFile::sha256("glue/stsb/test.tsv", 292_587, "16b4223d7d44a644fbc10f1b449472cfe81e1715fb07cf44023b0aa88ce856eb"),
];

/// QQP: do two questions from Quora ask the same?
pub static QQP: Glue = Glue {
    id: "glue/qqp",
    about: "pairs of questions from Quora, duplicates or not",
    licence: "Quora's terms of service: not for commercial use",
    citation: cite!(
        "Shankar Iyer, Nikhil Dandekar, Kornel Csernai. First Quora Dataset Release: Question Pairs. 2017."
    ),
    kind: GlueTarget::Classes { words: YES_NO, names: &["not_duplicate", "duplicate"] },
    // Older copies have questions with a line end, which breaks the line in two; fairseq's and TensorFlow Datasets' readers
    // leave such lines out. No checked copy of this one was available.
    layout: GlueColumns { broken_lines: true, ..pairs(&["question1", "question2"], "is_duplicate", true) },
    train_rows: 363_846,
    test_rows: 40_430,
    files: &QQP_FILES,
    further: &[],
    hidden: &["test"],
    transport: archive!("QQP-clean.zip", "QQP", 200 * MB, &QQP_FILES),
    derive: None,
};

static QQP_FILES: [DataFile; 3] = [
    DataFile::md5("glue/qqp/train.tsv", 200 * MB, "e003db73d277d38bbd83a2ef15beb442"),
    DataFile::md5("glue/qqp/dev.tsv", 50 * MB, "cff6a448d1580132367c22fc449ec214"),
    DataFile::md5("glue/qqp/test.tsv", 200 * MB, "73de726db186b1b08f071364b2bb96d0"),
];

/// MNLI: does one sentence follow from another, contradict it, or neither? Two test splits: `matched`, of the genres
/// that the training rows come from, and `mismatched`, of others.
pub static MNLI: Glue = Glue {
    id: "glue/mnli",
    about: "pairs of sentences of ten genres: entailment, neutral or contradiction",
    licence: "OANC's for most; the fiction under several, see the paper",
    citation: cite!(
        "Adina Williams, Nikita Nangia, Samuel R. Bowman. A Broad-Coverage Challenge Corpus for Sentence Understanding through Inference. NAACL 2018."
    ),
    kind: GlueTarget::Classes {
        words: &["entailment", "neutral", "contradiction"],
        names: &["entailment", "neutral", "contradiction"],
    },
    layout: pairs(&["sentence1", "sentence2"], "gold_label", true),
    train_rows: 392_702,
    test_rows: 9_815,
    files: &MNLI_FILES,
    further: &[("mismatched", 9_832)],
    hidden: &["test_matched", "test_mismatched"],
    transport: archive!("MNLI.zip", "MNLI", 1_000 * MB, &MNLI_FILES),
    derive: None,
};

static MNLI_FILES: [DataFile; 5] = [
    DataFile::md5("glue/mnli/train.tsv", 1_500 * MB, "220192295e23b6705f3545168272c740"),
    DataFile::md5("glue/mnli/dev_matched.tsv", 100 * MB, "c3fa2817007f4cdf1a03663611a8ad23"),
    DataFile::md5("glue/mnli/dev_mismatched.tsv", 100 * MB, "b219e6fe74e4aa779e2f417ffe713053"),
    DataFile::md5("glue/mnli/test_matched.tsv", 100 * MB, "33ea0389aedda8a43dabc9b3579684d9"),
    DataFile::md5("glue/mnli/test_mismatched.tsv", 100 * MB, "7d2f60a73d54f30d8a65e474b615aeb6"),
];

/// QNLI: does a sentence hold the answer to a question?
pub static QNLI: Glue = Glue {
    id: "glue/qnli",
    about: "questions on Wikipedia articles with a sentence that answers them or does not",
    licence: "CC BY-SA 4.0, as SQuAD",
    citation: cite!("Pranav Rajpurkar et al. SQuAD: 100,000+ Questions for Machine Comprehension of Text. EMNLP 2016."),
    kind: ENTAILMENT,
    layout: pairs(&["question", "sentence"], "label", true),
    train_rows: 104_743,
    test_rows: 5_463,
    files: &QNLI_FILES,
    further: &[],
    hidden: &["test"],
    transport: archive!("QNLIv2.zip", "QNLI", 100 * MB, &QNLI_FILES),
    derive: None,
};

static QNLI_FILES: [DataFile; 3] = [
    DataFile::md5("glue/qnli/train.tsv", 200 * MB, "5e6063f407b08d1f7c7074d049ace94a"),
    DataFile::sha256(
        "glue/qnli/dev.tsv",
        1_367_342,
        "ac19409dcb04631eaaa094bdebdcf621086bc352503dfb6a1a648b614986f4fd",
    ),
    DataFile::sha256(
        "glue/qnli/test.tsv",
        1_300_988,
        "6d856264e292fa7a7bc7b8e182efa1454ffd9532733c12ad813017dd5b377a5a",
    ),
];

/// RTE: does a sentence follow from a text?
pub static RTE: Glue = Glue {
    id: "glue/rte",
    about: "texts from news and Wikipedia with a sentence that follows from them or does not",
    licence: NOT_STATED,
    citation: cite!(
        "Ido Dagan et al. The PASCAL Recognising Textual Entailment Challenge. 2006; and its second, third and fifth rounds: Bar-Haim et al. 2006, Giampiccolo et al. 2007, Bentivogli et al. 2009."
    ),
    kind: ENTAILMENT,
    layout: pairs(&["sentence1", "sentence2"], "label", true),
    train_rows: 2_490,
    test_rows: 277,
    files: &RTE_FILES,
    further: &[],
    hidden: &["test"],
    transport: archive!("RTE.zip", "RTE", 10 * MB, &RTE_FILES),
    derive: None,
};

static RTE_FILES: [DataFile; 3] = [
    DataFile::sha256("glue/rte/train.tsv", 846_226, "41e3a9b063433392343fad9e962cf2f58b681c78d8f71592f4186f0837246c5c"),
    DataFile::sha256("glue/rte/dev.tsv", 90_343, "80230dfa1347282e7b532b06a1004a76a710087541189bf874223ddf0e3819fb"),
    DataFile::sha256("glue/rte/test.tsv", 933_969, "6e33f09b5c2bfd5fd5fde217070f3dd49e484e33b9752b5864cf36fc421a213f"),
];

/// WNLI: does a sentence with its pronoun replaced follow from the original? Its dev rows share sentences with training
/// rows of the opposite label, so a model that memorises training rows does worse than chance.
pub static WNLI: Glue = Glue {
    id: "glue/wnli",
    about: "sentences with a pronoun, and the same with the pronoun replaced, rightly or not",
    licence: "CC BY 4.0, as the Winograd schemas",
    citation: cite!("Hector J. Levesque, Ernest Davis, Leora Morgenstern. The Winograd Schema Challenge. KR 2012."),
    kind: GlueTarget::Classes { words: YES_NO, names: &["not_entailment", "entailment"] },
    layout: pairs(&["sentence1", "sentence2"], "label", true),
    train_rows: 635,
    test_rows: 71,
    files: &WNLI_FILES,
    further: &[],
    hidden: &["test"],
    transport: archive!("WNLI.zip", "WNLI", 10 * MB, &WNLI_FILES),
    derive: None,
};

static WNLI_FILES: [DataFile; 3] = [
    DataFile::sha256("glue/wnli/train.tsv", 99_411, "9a88e9d54b6861cc796a088e9acf4f5f65064a9ef65ae6fa7a688b28391e5c9a"),
    DataFile::sha256("glue/wnli/dev.tsv", 11_261, "cba00490596dd14be8cf53b4f53bb744abe3a7b89f81ab210528d80225338ed5"),
    DataFile::sha256("glue/wnli/test.tsv", 35_761, "ff0296817e235bf6f7a230c5f6781bd6ee228a45445f6510831fdef6f2a04766"),
];
