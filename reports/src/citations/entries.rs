//! The registry of works. Authors, titles, venues and years are those of the publication itself, and not of a preprint.

use super::When::{Ensemble, EstimatedEnergy, Model, ModelAs, OwnTask, Parameter, Search, Task};
use super::{Citation, When};
use crate::methods::Method;

const NEURAL: When = Model(&["resnet", "cnn", "transformer", "lstm", "gru", "gan", "mlp"]);
const CIFAR10: When = Task(&["cifar10", "cifar10-rotation"]);
const GLUE: When = Task(&["cola", "sst2", "sst2-next-character", "mrpc", "qqp", "stsb", "mnli", "qnli", "rte", "wnli"]);

/// An entry: its key and type, its fields, and what a run must have used.
macro_rules! works {
    ($($kind:ident $key:literal when [$($when:expr),+] { $($field:ident: $value:literal,)+ })+) => {
        pub(super) const CITATIONS: &[Citation] = &[$(
            Citation {
                key: $key,
                kind: stringify!($kind),
                fields: &[$((stringify!($field), $value)),+],
                when: &[$($when),+],
            }
        ),+];
    };
}

works! {
    techreport "krizhevsky2009cifar" when [CIFAR10] {
        author: "Krizhevsky, Alex",
        title: "Learning Multiple Layers of Features from Tiny Images",
        institution: "University of Toronto",
        year: "2009",
    }
    article "xiao2017fashion" when [OwnTask("fashion-mnist")] {
        author: "Xiao, Han and Rasul, Kashif and Vollgraf, Roland",
        title: "{Fashion-MNIST}: a Novel Image Dataset for Benchmarking Machine Learning Algorithms",
        journal: "arXiv preprint arXiv:1708.07747",
        year: "2017",
    }
    inproceedings "wang2019glue" when [GLUE] {
        author: "Wang, Alex and Singh, Amanpreet and Michael, Julian and Hill, Felix and Levy, Omer and Bowman, Samuel R.",
        title: "{GLUE}: A Multi-Task Benchmark and Analysis Platform for Natural Language Understanding",
        booktitle: "International Conference on Learning Representations (ICLR)",
        year: "2019",
    }
    article "warstadt2019cola" when [Task(&["cola"])] {
        author: "Warstadt, Alex and Singh, Amanpreet and Bowman, Samuel R.",
        title: "Neural Network Acceptability Judgments",
        journal: "Transactions of the Association for Computational Linguistics",
        volume: "7",
        pages: "625--641",
        year: "2019",
    }
    inproceedings "socher2013sst" when [Task(&["sst2", "sst2-next-character"])] {
        author: "Socher, Richard and Perelygin, Alex and Wu, Jean and Chuang, Jason and Manning, Christopher D. and Ng, Andrew Y. and Potts, Christopher",
        title: "Recursive Deep Models for Semantic Compositionality Over a Sentiment Treebank",
        booktitle: "Conference on Empirical Methods in Natural Language Processing (EMNLP)",
        pages: "1631--1642",
        year: "2013",
    }
    inproceedings "dolan2005mrpc" when [Task(&["mrpc"])] {
        author: "Dolan, William B. and Brockett, Chris",
        title: "Automatically Constructing a Corpus of Sentential Paraphrases",
        booktitle: "Third International Workshop on Paraphrasing (IWP)",
        year: "2005",
    }
    inproceedings "cer2017stsb" when [Task(&["stsb"])] {
        author: "Cer, Daniel and Diab, Mona and Agirre, Eneko and Lopez-Gazpio, I{\\~n}igo and Specia, Lucia",
        title: "{SemEval}-2017 Task 1: Semantic Textual Similarity Multilingual and Crosslingual Focused Evaluation",
        booktitle: "11th International Workshop on Semantic Evaluation (SemEval-2017)",
        pages: "1--14",
        year: "2017",
    }
    misc "iyer2017qqp" when [Task(&["qqp"])] {
        author: "Iyer, Shankar and Dandekar, Nikhil and Csernai, Korn{\\'e}l",
        title: "First {Quora} Dataset Release: Question Pairs",
        howpublished: "Quora",
        year: "2017",
    }
    inproceedings "williams2018mnli" when [Task(&["mnli"])] {
        author: "Williams, Adina and Nangia, Nikita and Bowman, Samuel R.",
        title: "A Broad-Coverage Challenge Corpus for Sentence Understanding through Inference",
        booktitle: "Conference of the North American Chapter of the Association for Computational Linguistics: Human Language Technologies (NAACL-HLT)",
        pages: "1112--1122",
        year: "2018",
    }
    inproceedings "rajpurkar2016squad" when [Task(&["qnli"])] {
        author: "Rajpurkar, Pranav and Zhang, Jian and Lopyrev, Konstantin and Liang, Percy",
        title: "{SQuAD}: 100,000+ Questions for Machine Comprehension of Text",
        booktitle: "Conference on Empirical Methods in Natural Language Processing (EMNLP)",
        pages: "2383--2392",
        year: "2016",
    }
    incollection "dagan2006rte" when [Task(&["rte"])] {
        author: "Dagan, Ido and Glickman, Oren and Magnini, Bernardo",
        title: "The {PASCAL} Recognising Textual Entailment Challenge",
        booktitle: "Machine Learning Challenges",
        publisher: "Springer",
        pages: "177--190",
        year: "2006",
    }
    inproceedings "barhaim2006rte" when [Task(&["rte"])] {
        author: "Bar-Haim, Roy and Dagan, Ido and Dolan, Bill and Ferro, Lisa and Giampiccolo, Danilo and Magnini, Bernardo and Szpektor, Idan",
        title: "The Second {PASCAL} Recognising Textual Entailment Challenge",
        booktitle: "Second PASCAL Challenges Workshop on Recognising Textual Entailment",
        year: "2006",
    }
    inproceedings "giampiccolo2007rte" when [Task(&["rte"])] {
        author: "Giampiccolo, Danilo and Magnini, Bernardo and Dagan, Ido and Dolan, Bill",
        title: "The Third {PASCAL} Recognizing Textual Entailment Challenge",
        booktitle: "ACL-PASCAL Workshop on Textual Entailment and Paraphrasing",
        pages: "1--9",
        year: "2007",
    }
    inproceedings "bentivogli2009rte" when [Task(&["rte"])] {
        author: "Bentivogli, Luisa and Magnini, Bernardo and Dagan, Ido and Dang, Hoa Trang and Giampiccolo, Danilo",
        title: "The Fifth {PASCAL} Recognizing Textual Entailment Challenge",
        booktitle: "Text Analysis Conference (TAC)",
        year: "2009",
    }
    inproceedings "levesque2012winograd" when [Task(&["wnli"])] {
        author: "Levesque, Hector J. and Davis, Ernest and Morgenstern, Leora",
        title: "The {Winograd} Schema Challenge",
        booktitle: "Thirteenth International Conference on Principles of Knowledge Representation and Reasoning (KR)",
        pages: "552--561",
        year: "2012",
    }
    article "hochreiter1997lstm" when [Task(&["long-range-"])] {
        author: "Hochreiter, Sepp and Schmidhuber, J{\\\"u}rgen",
        title: "Long Short-Term Memory",
        journal: "Neural Computation",
        volume: "9",
        number: "8",
        pages: "1735--1780",
        year: "1997",
    }
    book "minsky1969perceptrons" when [Task(&["xor"])] {
        author: "Minsky, Marvin and Papert, Seymour",
        title: "Perceptrons: An Introduction to Computational Geometry",
        publisher: "MIT Press",
        year: "1969",
    }
    inproceedings "he2016resnet" when [Model(&["resnet", "cnn"])] {
        author: "He, Kaiming and Zhang, Xiangyu and Ren, Shaoqing and Sun, Jian",
        title: "Deep Residual Learning for Image Recognition",
        booktitle: "IEEE Conference on Computer Vision and Pattern Recognition (CVPR)",
        pages: "770--778",
        year: "2016",
    }
    inproceedings "vaswani2017attention" when [Model(&["transformer"])] {
        author: "Vaswani, Ashish and Shazeer, Noam and Parmar, Niki and Uszkoreit, Jakob and Jones, Llion and Gomez, Aidan N. and Kaiser, {\\L}ukasz and Polosukhin, Illia",
        title: "Attention Is All You Need",
        booktitle: "Advances in Neural Information Processing Systems (NeurIPS)",
        volume: "30",
        year: "2017",
    }
    inproceedings "dosovitskiy2021vit" when [Model(&["transformer"]), CIFAR10] {
        author: "Dosovitskiy, Alexey and Beyer, Lucas and Kolesnikov, Alexander and Weissenborn, Dirk and Zhai, Xiaohua and Unterthiner, Thomas and Dehghani, Mostafa and Minderer, Matthias and Heigold, Georg and Gelly, Sylvain and Uszkoreit, Jakob and Houlsby, Neil",
        title: "An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale",
        booktitle: "International Conference on Learning Representations (ICLR)",
        year: "2021",
    }
    article "hochreiter1997lstm" when [Model(&["lstm"])] {
        author: "Hochreiter, Sepp and Schmidhuber, J{\\\"u}rgen",
        title: "Long Short-Term Memory",
        journal: "Neural Computation",
        volume: "9",
        number: "8",
        pages: "1735--1780",
        year: "1997",
    }
    inproceedings "cho2014gru" when [Model(&["gru"])] {
        author: "Cho, Kyunghyun and van Merri{\\\"e}nboer, Bart and Gulcehre, Caglar and Bahdanau, Dzmitry and Bougares, Fethi and Schwenk, Holger and Bengio, Yoshua",
        title: "Learning Phrase Representations using {RNN} Encoder--Decoder for Statistical Machine Translation",
        booktitle: "Conference on Empirical Methods in Natural Language Processing (EMNLP)",
        pages: "1724--1734",
        year: "2014",
    }
    article "rumelhart1986backpropagation" when [Model(&["mlp"])] {
        author: "Rumelhart, David E. and Hinton, Geoffrey E. and Williams, Ronald J.",
        title: "Learning Representations by Back-Propagating Errors",
        journal: "Nature",
        volume: "323",
        pages: "533--536",
        year: "1986",
    }
    inproceedings "iyyer2015dan" when [Model(&["mlp"]), Parameter("text_features", "embeddings")] {
        author: "Iyyer, Mohit and Manjunatha, Varun and Boyd-Graber, Jordan and Daum{\\'e} III, Hal",
        title: "Deep Unordered Composition Rivals Syntactic Methods for Text Classification",
        booktitle: "53rd Annual Meeting of the Association for Computational Linguistics (ACL)",
        pages: "1681--1691",
        year: "2015",
    }
    inproceedings "goodfellow2014gan" when [Model(&["gan"])] {
        author: "Goodfellow, Ian J. and Pouget-Abadie, Jean and Mirza, Mehdi and Xu, Bing and Warde-Farley, David and Ozair, Sherjil and Courville, Aaron and Bengio, Yoshua",
        title: "Generative Adversarial Nets",
        booktitle: "Advances in Neural Information Processing Systems (NIPS)",
        pages: "2672--2680",
        year: "2014",
    }
    inproceedings "salimans2016gan" when [Model(&["gan"])] {
        author: "Salimans, Tim and Goodfellow, Ian and Zaremba, Wojciech and Cheung, Vicki and Radford, Alec and Chen, Xi",
        title: "Improved Techniques for Training {GANs}",
        booktitle: "Advances in Neural Information Processing Systems (NIPS)",
        pages: "2234--2242",
        year: "2016",
    }
    book "breiman1984cart" when [Model(&["decision-tree"])] {
        author: "Breiman, Leo and Friedman, Jerome H. and Olshen, Richard A. and Stone, Charles J.",
        title: "Classification and Regression Trees",
        publisher: "Wadsworth",
        year: "1984",
    }
    article "cortes1995svm" when [Model(&["svm"])] {
        author: "Cortes, Corinna and Vapnik, Vladimir",
        title: "Support-Vector Networks",
        journal: "Machine Learning",
        volume: "20",
        number: "3",
        pages: "273--297",
        year: "1995",
    }
    article "fan2005wss" when [Model(&["svm"]), Parameter("solver", "smo")] {
        author: "Fan, Rong-En and Chen, Pai-Hsuen and Lin, Chih-Jen",
        title: "Working Set Selection Using Second Order Information for Training Support Vector Machines",
        journal: "Journal of Machine Learning Research",
        volume: "6",
        pages: "1889--1918",
        year: "2005",
    }
    article "breiman2001forests" when [Model(&["random-forest"])] {
        author: "Breiman, Leo",
        title: "Random Forests",
        journal: "Machine Learning",
        volume: "45",
        number: "1",
        pages: "5--32",
        year: "2001",
    }
    inproceedings "razavian2014features" when [ModelAs("features")] {
        author: "Sharif Razavian, Ali and Azizpour, Hossein and Sullivan, Josephine and Carlsson, Stefan",
        title: "{CNN} Features Off-the-Shelf: An Astounding Baseline for Recognition",
        booktitle: "IEEE Conference on Computer Vision and Pattern Recognition (CVPR) Workshops",
        pages: "512--519",
        year: "2014",
    }
    inproceedings "cheng2016wide" when [Model(&["fusion"])] {
        author: "Cheng, Heng-Tze and Koc, Levent and Harmsen, Jeremiah and Shaked, Tal and Chandra, Tushar and Aradhye, Hrishi and Anderson, Glen and Corrado, Greg and Chai, Wei and Ispir, Mustafa and Anil, Rohan and Haque, Zakaria and Hong, Lichan and Jain, Vihan and Liu, Xiaobing and Shah, Hemal",
        title: "Wide \\& Deep Learning for Recommender Systems",
        booktitle: "1st Workshop on Deep Learning for Recommender Systems",
        pages: "7--10",
        year: "2016",
    }
    inproceedings "ba2014deep" when [Model(&["student"])] {
        author: "Ba, Jimmy and Caruana, Rich",
        title: "Do Deep Nets Really Need to be Deep?",
        booktitle: "Advances in Neural Information Processing Systems (NeurIPS)",
        volume: "27",
        year: "2014",
    }
    article "hinton2015distilling" when [Model(&["student"])] {
        author: "Hinton, Geoffrey and Vinyals, Oriol and Dean, Jeff",
        title: "Distilling the Knowledge in a Neural Network",
        journal: "arXiv preprint arXiv:1503.02531",
        year: "2015",
    }
    inproceedings "li2017pruning" when [Parameter("method", "prune")] {
        author: "Li, Hao and Kadav, Asim and Durdanovic, Igor and Samet, Hanan and Graf, Hans Peter",
        title: "Pruning Filters for Efficient {ConvNets}",
        booktitle: "International Conference on Learning Representations (ICLR)",
        year: "2017",
    }
    inproceedings "michel2019heads" when [Parameter("method", "prune")] {
        author: "Michel, Paul and Levy, Omer and Neubig, Graham",
        title: "Are Sixteen Heads Really Better than One?",
        booktitle: "Advances in Neural Information Processing Systems (NeurIPS)",
        volume: "32",
        year: "2019",
    }
    inproceedings "molchanov2019importance" when [Parameter("by", "gradient")] {
        author: "Molchanov, Pavlo and Mallya, Arun and Tyree, Stephen and Frosio, Iuri and Kautz, Jan",
        title: "Importance Estimation for Neural Network Pruning",
        booktitle: "IEEE/CVF Conference on Computer Vision and Pattern Recognition (CVPR)",
        pages: "11264--11272",
        year: "2019",
    }
    inproceedings "jacob2018quantization" when [Parameter("method", "int8")] {
        author: "Jacob, Benoit and Kligys, Skirmantas and Chen, Bo and Zhu, Menglong and Tang, Matthew and Howard, Andrew and Adam, Hartwig and Kalenichenko, Dmitry",
        title: "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference",
        booktitle: "IEEE/CVF Conference on Computer Vision and Pattern Recognition (CVPR)",
        pages: "2704--2713",
        year: "2018",
    }
    inproceedings "denton2014linear" when [Parameter("method", "low-rank")] {
        author: "Denton, Emily L. and Zaremba, Wojciech and Bruna, Joan and LeCun, Yann and Fergus, Rob",
        title: "Exploiting Linear Structure Within Convolutional Networks for Efficient Evaluation",
        booktitle: "Advances in Neural Information Processing Systems (NeurIPS)",
        volume: "27",
        year: "2014",
    }
    inproceedings "lakshminarayanan2017ensembles" when [Ensemble] {
        author: "Lakshminarayanan, Balaji and Pritzel, Alexander and Blundell, Charles",
        title: "Simple and Scalable Predictive Uncertainty Estimation using Deep Ensembles",
        booktitle: "Advances in Neural Information Processing Systems (NeurIPS)",
        volume: "30",
        year: "2017",
    }
    inproceedings "kingma2015adam" when [NEURAL, Parameter("optimizer", "adamw")] {
        author: "Kingma, Diederik P. and Ba, Jimmy",
        title: "{Adam}: A Method for Stochastic Optimization",
        booktitle: "International Conference on Learning Representations (ICLR)",
        year: "2015",
    }
    inproceedings "loshchilov2019adamw" when [NEURAL, Parameter("optimizer", "adamw")] {
        author: "Loshchilov, Ilya and Hutter, Frank",
        title: "Decoupled Weight Decay Regularization",
        booktitle: "International Conference on Learning Representations (ICLR)",
        year: "2019",
    }
    article "polyak1964momentum" when [NEURAL, Parameter("optimizer", "sgd")] {
        author: "Polyak, Boris T.",
        title: "Some methods of speeding up the convergence of iteration methods",
        journal: "USSR Computational Mathematics and Mathematical Physics",
        volume: "4",
        number: "5",
        pages: "1--17",
        year: "1964",
    }
    inproceedings "loshchilov2017sgdr" when [NEURAL] {
        author: "Loshchilov, Ilya and Hutter, Frank",
        title: "{SGDR}: Stochastic Gradient Descent with Warm Restarts",
        booktitle: "International Conference on Learning Representations (ICLR)",
        year: "2017",
    }
    article "bergstra2012random" when [Search("random")] {
        author: "Bergstra, James and Bengio, Yoshua",
        title: "Random Search for Hyper-Parameter Optimization",
        journal: "Journal of Machine Learning Research",
        volume: "13",
        pages: "281--305",
        year: "2012",
    }
    inproceedings "bergstra2011tpe" when [Search("bayesian")] {
        author: "Bergstra, James and Bardenet, R{\\'e}mi and Bengio, Yoshua and K{\\'e}gl, Bal{\\'a}zs",
        title: "Algorithms for Hyper-Parameter Optimization",
        booktitle: "Advances in Neural Information Processing Systems (NIPS)",
        volume: "24",
        pages: "2546--2554",
        year: "2011",
    }
    inproceedings "jamieson2016halving" when [Search("halving")] {
        author: "Jamieson, Kevin and Talwalkar, Ameet",
        title: "Non-stochastic Best Arm Identification and Hyperparameter Optimization",
        booktitle: "International Conference on Artificial Intelligence and Statistics (AISTATS)",
        pages: "240--248",
        year: "2016",
    }
    inproceedings "dodge2019show" when [When::Method(Method::Search)] {
        author: "Dodge, Jesse and Gururangan, Suchin and Card, Dallas and Schwartz, Roy and Smith, Noah A.",
        title: "Show Your Work: Improved Reporting of Experimental Results",
        booktitle: "Conference on Empirical Methods in Natural Language Processing and International Joint Conference on Natural Language Processing (EMNLP-IJCNLP)",
        pages: "2185--2194",
        year: "2019",
    }
    article "lannelongue2021green" when [EstimatedEnergy] {
        author: "Lannelongue, Lo{\\\"i}c and Grealey, Jason and Inouye, Michael",
        title: "Green Algorithms: Quantifying the Carbon Footprint of Computation",
        journal: "Advanced Science",
        volume: "8",
        number: "12",
        pages: "2100707",
        year: "2021",
    }
    inproceedings "guo2017calibration" when [When::Method(Method::Calibration)] {
        author: "Guo, Chuan and Pleiss, Geoff and Sun, Yu and Weinberger, Kilian Q.",
        title: "On Calibration of Modern Neural Networks",
        booktitle: "International Conference on Machine Learning (ICML)",
        pages: "1321--1330",
        year: "2017",
    }
    inproceedings "reddi2020mlperf" when [When::Method(Method::EarlyStopping)] {
        author: "Reddi, Vijay Janapa and Cheng, Christine and Kanter, David and Mattson, Peter and others",
        title: "{MLPerf} Inference Benchmark",
        booktitle: "47th Annual International Symposium on Computer Architecture (ISCA)",
        pages: "446--459",
        year: "2020",
    }
    article "wilson1927" when [When::Method(Method::Wilson)] {
        author: "Wilson, Edwin B.",
        title: "Probable Inference, the Law of Succession, and Statistical Inference",
        journal: "Journal of the American Statistical Association",
        volume: "22",
        number: "158",
        pages: "209--212",
        year: "1927",
    }
    article "mcnemar1947" when [When::Method(Method::McNemar)] {
        author: "McNemar, Quinn",
        title: "Note on the Sampling Error of the Difference Between Correlated Proportions or Percentages",
        journal: "Psychometrika",
        volume: "12",
        number: "2",
        pages: "153--157",
        year: "1947",
    }
    book "efron1993bootstrap" when [When::Method(Method::Bootstrap)] {
        author: "Efron, Bradley and Tibshirani, Robert J.",
        title: "An Introduction to the Bootstrap",
        publisher: "Chapman \\& Hall",
        year: "1993",
    }
    article "student1908" when [When::Method(Method::PairedT)] {
        author: "{Student}",
        title: "The Probable Error of a Mean",
        journal: "Biometrika",
        volume: "6",
        number: "1",
        pages: "1--25",
        year: "1908",
    }
    book "cochran1957designs" when [When::Method(Method::SeedsAndRows)] {
        author: "Cochran, William G. and Cox, Gertrude M.",
        title: "Experimental Designs",
        edition: "Second",
        publisher: "Wiley",
        year: "1957",
    }
    inproceedings "sellam2022multiberts" when [When::Method(Method::SeedsAndRows)] {
        author: "Sellam, Thibault and Yadlowsky, Steve and Tenney, Ian and Wei, Jason and Saphra, Naomi and D'Amour, Alexander and Linzen, Tal and Bastings, Jasmijn and Turc, Iulia and Eisenstein, Jacob and Das, Dipanjan and Pavlick, Ellie",
        title: "The {MultiBERTs}: {BERT} Reproductions for Robustness Analysis",
        booktitle: "International Conference on Learning Representations (ICLR)",
        year: "2022",
    }
    article "nadeau2003" when [When::Method(Method::CorrectedT)] {
        author: "Nadeau, Claude and Bengio, Yoshua",
        title: "Inference for the Generalization Error",
        journal: "Machine Learning",
        volume: "52",
        number: "3",
        pages: "239--281",
        year: "2003",
    }
    article "fieller1954" when [When::Method(Method::Crossover)] {
        author: "Fieller, Edgar C.",
        title: "Some Problems in Interval Estimation",
        journal: "Journal of the Royal Statistical Society: Series B",
        volume: "16",
        number: "2",
        pages: "175--185",
        year: "1954",
    }
    article "holm1979" when [When::Method(Method::Holm)] {
        author: "Holm, Sture",
        title: "A Simple Sequentially Rejective Multiple Test Procedure",
        journal: "Scandinavian Journal of Statistics",
        volume: "6",
        number: "2",
        pages: "65--70",
        year: "1979",
    }
    article "almohamad2022ranks" when [When::Method(Method::Places)] {
        author: "Al Mohamad, Diaa and Goeman, Jelle J. and van Zwet, Erik W.",
        title: "Simultaneous Confidence Intervals for Ranks with Application to Ranking Institutions",
        journal: "Biometrics",
        volume: "78",
        number: "1",
        pages: "238--247",
        year: "2022",
    }
    article "corani2015" when [When::Method(Method::Equivalence)] {
        author: "Corani, Giorgio and Benavoli, Alessio",
        title: "A {Bayesian} approach for comparing cross-validated algorithms on multiple data sets",
        journal: "Machine Learning",
        volume: "100",
        pages: "285--304",
        year: "2015",
    }
    article "benavoli2017" when [When::Method(Method::Equivalence)] {
        author: "Benavoli, Alessio and Corani, Giorgio and Dem{\\v{s}}ar, Janez and Zaffalon, Marco",
        title: "Time for a Change: a Tutorial for Comparing Multiple Classifiers Through {Bayesian} Analysis",
        journal: "Journal of Machine Learning Research",
        volume: "18",
        number: "77",
        pages: "1--36",
        year: "2017",
    }
    inproceedings "agarwal2021rliable" when [When::Method(Method::Improvement)] {
        author: "Agarwal, Rishabh and Schwarzer, Max and Castro, Pablo Samuel and Courville, Aaron and Bellemare, Marc G.",
        title: "Deep Reinforcement Learning at the Edge of the Statistical Precipice",
        booktitle: "Advances in Neural Information Processing Systems (NeurIPS)",
        volume: "34",
        year: "2021",
    }
    incollection "delbarrio2018" when [When::Method(Method::StochasticOrder)] {
        author: "del Barrio, Eustasio and Cuesta-Albertos, Juan A. and Matr{\\'a}n, Carlos",
        title: "An Optimal Transportation Approach for Assessing Almost Stochastic Order",
        booktitle: "The Mathematics of the Uncertain",
        publisher: "Springer",
        pages: "33--44",
        year: "2018",
    }
    inproceedings "dror2019dominance" when [When::Method(Method::StochasticOrder)] {
        author: "Dror, Rotem and Shlomov, Segev and Reichart, Roi",
        title: "Deep Dominance -- How to Properly Compare Deep Neural Models",
        booktitle: "57th Annual Meeting of the Association for Computational Linguistics (ACL)",
        pages: "2773--2785",
        year: "2019",
    }
    article "friedman1937" when [When::Method(Method::Ranks)] {
        author: "Friedman, Milton",
        title: "The Use of Ranks to Avoid the Assumption of Normality Implicit in the Analysis of Variance",
        journal: "Journal of the American Statistical Association",
        volume: "32",
        number: "200",
        pages: "675--701",
        year: "1937",
    }
    article "iman1980" when [When::Method(Method::Ranks)] {
        author: "Iman, Ronald L. and Davenport, James M.",
        title: "Approximations of the critical region of the {Friedman} statistic",
        journal: "Communications in Statistics -- Theory and Methods",
        volume: "9",
        number: "6",
        pages: "571--595",
        year: "1980",
    }
    phdthesis "nemenyi1963" when [When::Method(Method::Ranks)] {
        author: "Nemenyi, Peter",
        title: "Distribution-free Multiple Comparisons",
        school: "Princeton University",
        year: "1963",
    }
    article "demsar2006" when [When::Method(Method::Ranks)] {
        author: "Dem{\\v{s}}ar, Janez",
        title: "Statistical Comparisons of Classifiers over Multiple Data Sets",
        journal: "Journal of Machine Learning Research",
        volume: "7",
        pages: "1--30",
        year: "2006",
    }
    inproceedings "satopaa2011kneedle" when [When::Phase("batch-size")] {
        author: "Satop{\\\"a}{\\\"a}, Ville and Albrecht, Jeannie and Irwin, David and Raghavan, Barath",
        title: "Finding a ``Kneedle'' in a Haystack: Detecting Knee Points in System Behavior",
        booktitle: "31st International Conference on Distributed Computing Systems Workshops",
        pages: "166--171",
        year: "2011",
    }
    article "williams2009roofline" when [When::Metric("peak_flops_per_s")] {
        author: "Williams, Samuel and Waterman, Andrew and Patterson, David",
        title: "Roofline: An Insightful Visual Performance Model for Multicore Architectures",
        journal: "Communications of the ACM",
        volume: "52",
        number: "4",
        pages: "65--76",
        year: "2009",
    }
}
