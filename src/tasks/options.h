// options.h: every option of data, model and training, with its default; one table describes them all, and flags, TOML
// keys, environment names, `--help`, shell completion and docs/options.md come from that table (option_table()).
//
// Order of precedence: default < file < environment CAROUSEL_* < --set < flag (config.h reads them in that order). An
// option that is automatic keeps its default (0, -1 or an empty text) until the task picks a value from the data; users
// write it "auto".
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace carousel {

struct DataOptions {
  std::vector<std::string> data, valid, test;  // paths; "-" is standard input; "label=path" for one file per class
  std::string format;                          // auto: by ending and first line
  double valid_fraction = 0.1;
  std::int64_t split_seed = -1;  // -1: auto
  std::string split;             // "A,B,C": rows, fractions or dates, in file order
  std::string part;              // evaluate: "train", "valid" or "test" of the remembered split
  std::int64_t folds = 0;        // K-fold cross-validation; 0: none
  std::string text_column = "text", label_column = "label";
  std::string labels;  // .npy with the labels of a .npy of sequences
  std::string layout;  // forecast: "wide", "long", "rows"; auto
  std::string time_column, id_column;
  std::vector<std::string> target;  // value columns to predict; auto
  std::int64_t horizon = 0;         // steps ahead; auto
  std::int64_t window = 0;          // time steps that the model sees; auto
  std::int64_t season = 0;          // period in steps; auto, 1: none
  double hide = 0.1;                // impute: share of the known values that are hidden, to learn from or to score at
  std::int64_t gap_length = 0;      // of those; auto
  bool batch_first = false;         // .npy sequences are [N, T, C]
  std::string level;                // text: "word", "char", "subword", "whitespace"; auto
  std::string lowercase;            // text: "true", "false"; auto
  std::string normalize;            // text: "nfkc", "nfc", "none"; auto
  std::string subword_model;        // "bpe", "unigram"; auto
  std::string subwords;             // a SentencePiece model to use; empty: learn one
  std::string vectors;              // vectors of words, in text format; empty: none
  std::int64_t min_count = 0;       // words seen less often become <unk>; auto
  std::int64_t max_vocabulary = 0;  // auto
  bool backtest = false;            // evaluate forecast: every origin of the part
  std::int64_t stride = 1;
  bool scaled = false;           // evaluate forecast on scaled values
  bool update = false;           // predict forecast: `data` are the rows that follow those of OutputOptions::state
  bool anomalies = false;        // predict forecast: how surprising each value is
  double threshold = 0.001;      // of that: a value is flagged if an ordinary one is as surprising less often
  std::string refit = "none";    // evaluate forecast: "expanding", "sliding": fit the baselines again at each origin
  std::int64_t refit_model = 0;  // of that: train the network again, too, every so many origins; 0: never
  bool prices = false;           // evaluate forecast: on returns, too, and beside the random walk
  bool leak_check = false;       // evaluate forecast: prove that nothing after the origin is used
  // tag: files of tags and of labels of sentences, one for each of data or valid; columns from 1, 0: auto
  std::vector<std::string> tags, valid_tags, intents, valid_intents;
  std::int64_t token_column = 0, tag_column = 0;
  bool calibration = false;  // evaluate classify: nll and ece as well
  std::string audio_column = "audio";
  bool center = true;      // recordings: take the mean over the recording away from each feature
  std::int64_t stack = 0;  // frames of a recording in a step; auto
  // translate: parallel files beside `target`, how each side is cut, and what is too long to learn from
  std::vector<std::string> source, valid_source, valid_target;
  std::string separator;                         // one character between source and target of a pair; auto: tab
  std::int64_t max_length = 250;                 // tokens of either side
  bool surprise = false;                         // evaluate lm: every token with its probability
  bool dynamic = false;                          // evaluate lm: learn from every chunk after it was scored
  double dynamic_lr = 0;                         // of that; auto
  std::vector<std::string> baseline_data;        // evaluate lm: training text, to fit the trigram on
  std::string source_level, target_level;        // "word", "char", "subword", "whitespace"; auto
  std::string source_subwords, target_subwords;  // SentencePiece models to use; empty: learn them
  // forecast: columns beside the targets; and rules for what is read, all auto: SeriesOptions has the defaults, a model
  // remembers what it was trained with
  std::vector<std::string> past, future, statics;
  std::vector<std::string> calendar;  // features of the time
  std::string scaling, transform;     // of each series
  std::string missing_value;
  std::string gaps;             // "mask", "refuse", "ignore"
  std::string duplicates;       // "refuse", "first", "last", "mean"
  std::string missing;          // "mask", "last", "interpolate", "refuse"
  bool sort = false;            // rows by time
  std::int64_t min_length = 0;  // series with fewer values are left out
};

struct ModelOptions {
  std::string model;                // classify: "recurrent", "cnn", "tfidf"; auto
  std::string cell;                 // a name for find_cell(), "none" (feed-forward); auto
  std::int64_t hidden_size = 0;     // auto
  std::int64_t proj_size = 0;       // 0: no projection (cells with Cell::projection)
  std::int64_t layers = 0;          // auto
  std::string bidirectional;        // "true", "false"; auto
  std::int64_t embedding_size = 0;  // auto
  std::string pool;                 // "last", "mean", "max", "attention"; auto
  std::string token_input;          // "embedding", "one_hot", "trigrams"; auto
  std::int64_t buckets = 0;         // of trigrams; auto
  bool freeze_vectors = false;      // DataOptions::vectors are not trained
  double dropout = -1;              // -1: auto
  double recurrent_dropout = 0;
  double zoneout = 0, zoneout_memory = 0;
  std::int64_t transitions = 1;  // cells per step
  std::int64_t chrono = 0;       // steps that gates start to remember at most; 0: their usual biases
  bool layer_norm = false;
  std::string dtype = "f32";  // of recurrent weights, in inference: f32, bf16, int8
  std::string linear_branch;  // "true", "false"; auto: for texts
  std::string activation;     // of cell rnn and of feed-forward layers: tanh, relu; auto
  std::string periods;        // "1,2,4,8": of the modules of cell clockwork; auto
  std::int64_t heads = 1;     // of cells slstm, mlstm and their forms
  // Of cell jordan: the activation of its output layer ("none", "tanh", "sigmoid", "softmax") and what its context
  // keeps.
  std::string output_activation = "none";
  double decay = 0;
  std::string merge = "concat", connection = "none";  // as in RecurrentOptions, like the next two
  bool learned_initial_state = false, tied = false;
  std::string crf;                   // tag: "true", "false"; auto
  bool crf_valid_tags_only = false;  // tag: the sum of the CRF's loss is over valid sequences of tags only
  std::string characters;            // tag: "none", "lstm", "cnn"; auto
  std::int64_t word_window = 0;      // tag: tokens around each one that it is read with, odd; auto
  std::string attention;             // translate, forecast: a score of AttentionDecoderOptions, "none"; auto
  bool coverage = false;             // translate: as in AttentionDecoderOptions
  std::int64_t beam = 0;             // translate, transcribe: hypotheses of beam search for each sample; auto
  std::int64_t n_best = 1;           // translate, transcribe, tag: outputs for each sample
  std::string lm;                    // transcribe: a language model to weigh hypotheses with; empty: none
  double lm_weight = 0.5, insertion_bonus = 0;  // transcribe: of its log-probabilities; of each label
  double length_penalty = 1;                    // translate: exponent of Wu et al. 2016
  std::string copy_unknown;                     // "true", "false"; auto
  std::vector<std::string> ensemble;            // translate, forecast: further model files
  std::string tie_embeddings;         // lm: "true", "false"; auto: where the sizes allow it, but not for characters
  std::string token_pairs;            // tag: "true", "false"; auto
  bool variational_dropout = false;   // lm: one mask for all steps of a batch
  double embedding_dropout = 0;       // lm: share of words dropped from the embedding
  std::string softmax = "full";       // lm: full, sampled, adaptive
  bool hierarchical = false;          // classify: a text is sentences of words
  std::int64_t clusters = 0;          // forecast: fuzzy clusters of the windows, a network for each; 0: one network
  double fuzzifier = 0;               // of the clusters; auto
  std::int64_t series_embedding = 0;  // forecast: numbers of the learnt vector of each series; 0: none
  bool stateful = false;              // forecast: the state goes on along the series instead of starting in each window
  // forecast: "point", "quantile", "gaussian" ...; levels in (0, 1), auto; "direct", "recursive", "seq2seq"; paths,
  // auto
  std::string distribution = "point";
  std::vector<std::string> quantiles;
  std::string strategy = "direct";
  std::int64_t samples = 0;
};

struct TrainOptions {
  std::int64_t epochs = 0;      // auto
  std::int64_t batch_size = 0;  // auto
  std::string optimizer;        // sgd, adam, adamw, rmsprop, adagrad; auto
  double lr = 0;                // auto
  double momentum = 0.9;        // sgd, rmsprop
  std::string schedule;         // constant, step, cosine, warmup, plateau; auto
  std::int64_t warmup_steps = 0;
  double lr_factor = 0.5;                     // schedules step and plateau
  std::int64_t lr_period = 10, lr_start = 0;  // schedule step, in epochs
  std::string average;                        // of the weights: none, ema, asgd; auto
  double weight_decay = -1;                   // -1: auto
  double input_noise = -1;                    // deviation of noise on inputs of numbers, in scaled units; -1: auto
  bool shrinkage = true;                      // keep what is learnt as far as it is more than chance
  double clip = -1;                           // global norm; 0: off; -1: auto
  double clip_value = 0;                      // by value; 0: off
  std::int64_t accumulate = 1;                // batches per optimiser step
  std::int64_t bptt = 0;                      // truncate back-propagation to this many steps; 0: whole sequence
  std::string max_memory;                     // "2GB": cap on the memory of training; empty: none
  std::int64_t patience = 0;                  // epochs without improvement before stopping; auto
  std::string loss;                           // cross_entropy, mse, mae, huber, bce; auto
  double label_smoothing = 0;
  double scheduled_sampling = 0;  // translate: share of target tokens replaced by the model's own, in the last epoch
  double coverage_loss = 0;       // translate: weight of what looking at the same source steps again costs
  std::string class_weights;      // "", "balanced"
  std::int64_t seed = 1;
  std::int64_t threads = 0;       // 0: one per core
  bool strict_kernels = false;    // a slow path is an error
  double checkpoint_every = 300;  // seconds; 0: no checkpoints
  bool resume = false;  // go on from the newest checkpoint in the run folder; no option: `carousel resume` sets it
};

struct OutputOptions {
  std::string out;         // model file; train's default: TASK.safetensors
  std::string run_dir;     // default: runs/TASK-<time>
  std::string report;      // self-contained HTML page
  std::string plots;       // folder for the pictures of the page as files
  std::string alignments;  // translate: JSON of what each output token looked at
  std::string state;       // predict forecast: what is needed to go on with new rows alone
  bool force = false;      // overwrite existing files
};

struct Options {
  DataOptions data;
  ModelOptions model;
  TrainOptions train;
  OutputOptions output;

  // Which keys somebody set, and where: "train.lr" -> "--lr", "run.toml:3:1", "CAROUSEL_TRAIN_LR". The rest are
  // defaults.
  std::map<std::string, std::string, std::less<>> given;
  bool is_given(std::string_view key) const { return given.find(key) != given.end(); }
};

// Where an option has a meaning, as bits.
enum Verbs : unsigned { kTrain = 1, kEvaluate = 2, kPredict = 4, kCheck = 8, kEveryVerb = 15 };

using OptionField = std::variant<std::string*, std::vector<std::string>*, std::int64_t*, double*, bool*>;

struct Option {
  std::string_view key;  // in TOML and --set: "train.lr"
  OptionField (*field)(Options&) = nullptr;
  bool automatic = false;  // the default stands for "auto": the task picks a value from the data
  double low = -std::numeric_limits<double>::infinity();  // numbers: the smallest and the largest value
  double high = std::numeric_limits<double>::infinity();
  std::vector<std::string_view> allowed = {};  // texts: the only values, see is_value(); empty: any
  bool memory_size = false;                    // texts: see parse_memory_size()
  bool commas = false;                         // lists: one text "a,b" means two values (never for paths)
  unsigned verbs = kTrain;
  std::string_view tasks = {};  // "forecast", "classify,regress"; empty: all
  std::string_view help = {};

  std::string flag() const;         // "--lr": the last part of the key
  std::string environment() const;  // "CAROUSEL_TRAIN_LR"
  std::string_view section() const { return key.substr(0, key.find('.')); }
  std::string_view name() const { return key.substr(key.find('.') + 1); }
  std::string type() const;    // "text", "list", "integer", "number", "true or false"
  std::string values() const;  // what it takes: "adam, sgd", "1 to 256"; empty: anything of its type
  bool is_switch() const;      // a flag that needs no value: --force, --bidirectional
  bool is_list() const;
  bool applies_to(std::string_view task) const;
};

// Every option, in the order of Options.
const std::vector<Option>& option_table();
// The option of this key; null if there is none.
const Option* find_option(std::string_view key);

// Whether the text is this allowed value, or begins like one that ends in "...".
bool is_value(std::string_view text, std::string_view allowed);

// ", did you mean WORD?" with the known word nearest to a misspelt one; empty when none is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);
// The same for a key; knows the last part of a key alone ("lr"), too.
std::string suggest_key(std::string_view key);

// The bytes of "512MB", "2GB", "1.5GiB" (kB, MB, GB and TB count by 1000, KiB ... by 1024); nothing for any other text.
std::optional<std::int64_t> parse_memory_size(std::string_view text);

// The entries that texts of a flag, a variable or --set stand for: of a list with commas "a,b" is two, else each text
// one.
std::vector<std::string> split_entries(const Option& option, const std::vector<std::string>& texts);

// Reads `values` (one text, or the entries of a list) into the option's field and records `place` in options.given.
// Throws Error{kUsage} that names place, option, value and what was expected: wrong type, out of range, not allowed.
void assign(Options& options, const Option& option, const std::vector<std::string>& values, const std::string& place);

// The value as users write it: "auto", "0.001", "true"; the entries of a list.
std::vector<std::string> option_values(const Options& options, const Option& option);

}  // namespace carousel
