// The table of all options. A new option is one field in options.h and one entry here, in the order of the fields.
#include "cells/cell.h"
#include "tasks/options.h"

namespace carousel {
namespace {

constexpr double kLargeCount = 1e9;

// The accessor of one field: &Options::train, &TrainOptions::lr -> Options::train.lr.
template <auto kSection, auto kMember>
OptionField field(Options& options) {
  return &((options.*kSection).*kMember);
}
template <auto kMember>
constexpr auto kData = &field<&Options::data, kMember>;
template <auto kMember>
constexpr auto kModel = &field<&Options::model, kMember>;
template <auto kMember>
constexpr auto kTraining = &field<&Options::train, kMember>;
template <auto kMember>
constexpr auto kOutput = &field<&Options::output, kMember>;

std::vector<std::string_view> cell_names() {
  std::vector<std::string_view> names;
  for (const Cell& cell : all_cells()) names.push_back(cell.name);
  names.emplace_back("none");
  names.emplace_back("expr:...");
  return names;
}

// An entry is easier to read on two lines than on eight.
// clang-format off

const Option kFileOptions[] = {
    {.key = "data.data", .field = kData<&DataOptions::data>, .verbs = kEveryVerb,
     .help = "files to read; - is standard input, .gz is read through; label=FILE: one text file per class"},
    {.key = "data.valid", .field = kData<&DataOptions::valid>,
     .help = "files to validate on; without it a part of --data is held back"},
    {.key = "data.test", .field = kData<&DataOptions::test>, .verbs = kEvaluate, .tasks = "forecast",
     .help = "the values that follow each series of --data, to score the forecast on"},
    {.key = "data.format", .field = kData<&DataOptions::format>, .automatic = true, .verbs = kEveryVerb,
     .help = "csv, tsv, jsonl, fasttext, lines, space, ts, ucr, npy, columns, parallel, segmented, "
             "tokens; auto goes by ending and first line"},
    {.key = "data.valid_fraction", .field = kData<&DataOptions::valid_fraction>, .low = 0.001, .high = 0.9,
     .help = "share held back for validation: seeded and stratified; forecast: the last part in time"},
    {.key = "data.split_seed", .field = kData<&DataOptions::split_seed>, .automatic = true, .low = 0, .high = 9e15,
     .tasks = "classify,regress,tag,transcribe", .help = "seed of the choice of the part held back; auto: --seed"},
    {.key = "data.split", .field = kData<&DataOptions::split>,
     .help = "A,B,C: training, validation and test part of one file, in its order: rows, fractions or dates"},
    {.key = "data.part", .field = kData<&DataOptions::part>, .allowed = {"train", "valid", "test"},
     .verbs = kEvaluate | kPredict, .help = "only this part of the split that the model remembers"},
    {.key = "data.folds", .field = kData<&DataOptions::folds>, .low = 0, .high = 100, .tasks = "classify",
     .help = "cross-validate with this many folds and report mean and spread; 0: none"},
};

const Option kColumnOptions[] = {
    {.key = "data.text_column", .field = kData<&DataOptions::text_column>, .verbs = kEveryVerb,
     .tasks = "classify,transcribe", .help = "column that holds the text"},
    {.key = "data.label_column", .field = kData<&DataOptions::label_column>, .verbs = kEveryVerb, .tasks = "classify",
     .help = "column that holds the label"},
    {.key = "data.labels", .field = kData<&DataOptions::labels>, .verbs = kTrain | kEvaluate | kCheck,
     .tasks = "classify,regress",
     .help = "labels or targets of a .npy file of sequences: .npy [N], [N, K] or, at every step, [T, N, K]"},
    {.key = "data.layout", .field = kData<&DataOptions::layout>, .automatic = true,
     .allowed = {"wide", "long", "rows"}, .verbs = kEveryVerb, .tasks = "forecast",
     .help = "wide: one column per series; long: one row per series and time; rows: one series per row"},
    {.key = "data.time_column", .field = kData<&DataOptions::time_column>, .automatic = true, .verbs = kEveryVerb,
     .tasks = "forecast", .help = "column that holds the time"},
    {.key = "data.id_column", .field = kData<&DataOptions::id_column>, .automatic = true, .verbs = kEveryVerb,
     .tasks = "forecast", .help = "column that says which series a row belongs to (layout long)"},
    {.key = "data.target", .field = kData<&DataOptions::target>, .automatic = true, .commas = true,
     .verbs = kEveryVerb, .tasks = "forecast,regress,translate",
     .help = "columns to predict: A,B,C; translate: files whose lines are the targets of --source's"},
    {.key = "data.horizon", .field = kData<&DataOptions::horizon>, .automatic = true, .low = 1, .high = 100000,
     .tasks = "forecast", .help = "steps to forecast"},
    {.key = "data.window", .field = kData<&DataOptions::window>, .automatic = true, .low = 1, .high = 1000000,
     .tasks = "forecast", .help = "time steps that the model sees before it forecasts"},
    {.key = "data.season", .field = kData<&DataOptions::season>, .automatic = true, .low = 1, .high = 1000000,
     .verbs = kTrain | kEvaluate, .tasks = "forecast", .help = "period in steps; 1: none"},
    {.key = "data.batch_first", .field = kData<&DataOptions::batch_first>, .verbs = kEveryVerb,
     .tasks = "classify,regress", .help = "sequences in .npy files are [N, T, C] instead of [T, N, C]"},
    {.key = "data.level", .field = kData<&DataOptions::level>, .automatic = true,
     .allowed = {"word", "char", "subword", "whitespace"}, .verbs = kTrain | kCheck,
     .tasks = "classify,tag,transcribe,lm",
     .help = "cut text into words (Chinese by dictionary), characters or learnt pieces of words"},
    {.key = "data.lowercase", .field = kData<&DataOptions::lowercase>, .automatic = true,
     .allowed = {"true", "false"}, .verbs = kTrain | kCheck, .tasks = "classify",
     .help = "make texts lower case; auto: yes, unless --subwords is given"},
    {.key = "data.normalize", .field = kData<&DataOptions::normalize>, .automatic = true,
     .allowed = {"nfkc", "nfc", "none"}, .verbs = kTrain | kCheck, .tasks = "classify",
     .help = "Unicode form of texts: nfkc (auto, unless --subwords is given) makes full-width letters plain"},
    {.key = "data.subword_model", .field = kData<&DataOptions::subword_model>, .automatic = true,
     .allowed = {"bpe", "unigram"}, .verbs = kTrain | kCheck, .tasks = "classify",
     .help = "level subword: how the pieces are learnt; auto: bpe"},
    {.key = "data.subwords", .field = kData<&DataOptions::subwords>, .verbs = kTrain | kCheck, .tasks = "classify",
     .help = "level subword: a SentencePiece model to use instead of learning one"},
    {.key = "data.vectors", .field = kData<&DataOptions::vectors>, .tasks = "classify",
     .help = "vectors of words to start from: a text file of word2vec, GloVe or fastText"},
    {.key = "data.min_count", .field = kData<&DataOptions::min_count>, .automatic = true, .low = 1,
     .high = kLargeCount, .verbs = kTrain | kCheck, .tasks = "classify,tag,translate,lm",
     .help = "words seen less often become <unk>"},
    {.key = "data.max_vocabulary", .field = kData<&DataOptions::max_vocabulary>, .automatic = true, .low = 5,
     .high = 1e8, .verbs = kTrain | kCheck, .tasks = "classify,tag,translate,lm",
     .help = "keep at most this many of the most frequent words; level subword: learn at most so many"},
    {.key = "data.backtest", .field = kData<&DataOptions::backtest>, .verbs = kEvaluate, .tasks = "forecast",
     .help = "score the forecast from every origin of the part"},
    {.key = "data.stride", .field = kData<&DataOptions::stride>, .low = 1, .high = kLargeCount, .verbs = kEvaluate,
     .tasks = "forecast", .help = "steps between the origins of --backtest"},
    {.key = "data.scaled", .field = kData<&DataOptions::scaled>, .verbs = kEvaluate, .tasks = "forecast",
     .help = "score on scaled values, as papers do"},
    {.key = "data.source", .field = kData<&DataOptions::source>, .verbs = kEveryVerb, .tasks = "translate",
     .help = "files whose lines are the sources, instead of --data with both"},
    {.key = "data.valid_source", .field = kData<&DataOptions::valid_source>, .tasks = "translate",
     .help = "the same to validate on"},
    {.key = "data.valid_target", .field = kData<&DataOptions::valid_target>, .tasks = "translate",
     .help = "and their targets"},
    {.key = "data.separator", .field = kData<&DataOptions::separator>, .automatic = true, .verbs = kEveryVerb,
     .tasks = "translate", .help = "the character between source and target in a line of --data; auto: a tab"},
    {.key = "data.source_level", .field = kData<&DataOptions::source_level>, .automatic = true,
     .allowed = {"word", "char", "whitespace"}, .verbs = kTrain | kCheck, .tasks = "translate",
     .help = "cut sources into words or characters; auto: words, unless they are numbers or one word each"},
    {.key = "data.target_level", .field = kData<&DataOptions::target_level>, .automatic = true,
     .allowed = {"word", "char", "whitespace"}, .verbs = kTrain | kCheck, .tasks = "translate",
     .help = "the same of targets"},
    {.key = "data.max_length", .field = kData<&DataOptions::max_length>, .low = 1, .high = 1e6, .verbs = kTrain,
     .tasks = "translate", .help = "pairs with more tokens on a side are left out of training (and counted)"},
    {.key = "data.audio_column", .field = kData<&DataOptions::audio_column>, .verbs = kEveryVerb,
     .tasks = "transcribe", .help = "column that holds the path of a recording or of its features"},
    {.key = "data.center", .field = kData<&DataOptions::center>, .verbs = kTrain, .tasks = "transcribe",
     .help = "take the mean over a recording away from each of its features; false: to transcribe while it lasts"},
    {.key = "data.stack", .field = kData<&DataOptions::stack>, .automatic = true, .low = 1, .high = 1000,
     .verbs = kTrain | kCheck, .tasks = "transcribe",
     .help = "frames side by side in a time step; auto: up to 4, as the texts allow"},
    {.key = "data.tags", .field = kData<&DataOptions::tags>, .verbs = kTrain | kEvaluate | kCheck, .tasks = "tag",
     .help = "the tags of each line of --data: files of their own, as many as --data has"},
    {.key = "data.valid_tags", .field = kData<&DataOptions::valid_tags>, .tasks = "tag",
     .help = "the tags of each line of --valid"},
    {.key = "data.intents", .field = kData<&DataOptions::intents>, .verbs = kTrain | kEvaluate | kCheck,
     .tasks = "tag", .help = "a label for each sentence of --data, one a line, to be learnt with the tags"},
    {.key = "data.valid_intents", .field = kData<&DataOptions::valid_intents>, .tasks = "tag",
     .help = "a label for each sentence of --valid"},
    {.key = "data.token_column", .field = kData<&DataOptions::token_column>, .automatic = true, .low = 1, .high = 1000,
     .verbs = kEveryVerb, .tasks = "tag", .help = "column of the token, counted from 1; auto: the first one"},
    {.key = "data.tag_column", .field = kData<&DataOptions::tag_column>, .automatic = true, .low = 1, .high = 1000,
     .verbs = kTrain | kEvaluate | kCheck, .tasks = "tag", .help = "column of the tag; auto: the last one"},
    {.key = "data.calibration", .field = kData<&DataOptions::calibration>, .verbs = kEvaluate, .tasks = "classify",
     .help = "score the probabilities, too: nll, and ece, the expected calibration error"},
};

const Option kModelOptions[] = {
    {.key = "model.model", .field = kModel<&ModelOptions::model>, .automatic = true,
     .allowed = {"recurrent", "cnn", "tfidf"}, .tasks = "classify",
     .help = "cnn: convolutions of widths 3, 4 and 5, max over time; tfidf: TF-IDF + logistic regression alone"},
    {.key = "model.cell", .field = kModel<&ModelOptions::cell>, .automatic = true,
     .allowed = cell_names(),
     .help = "recurrent cell (carousel cells describes each); none: a feed-forward network; expr: and its equations"},
    {.key = "model.hidden_size", .field = kModel<&ModelOptions::hidden_size>, .automatic = true, .low = 1,
     .high = 65536, .help = "units of each recurrent layer; of --model cnn filters of each width"},
    {.key = "model.proj_size", .field = kModel<&ModelOptions::proj_size>, .low = 0, .high = 65536,
     .help = "size that the output of an LSTM layer is projected to; 0: no projection"},
    {.key = "model.layers", .field = kModel<&ModelOptions::layers>, .automatic = true, .low = 1, .high = 100,
     .help = "number of recurrent layers"},
    {.key = "model.bidirectional", .field = kModel<&ModelOptions::bidirectional>, .automatic = true,
     .allowed = {"true", "false"}, .help = "read the sequence in both directions"},
    {.key = "model.embedding_size", .field = kModel<&ModelOptions::embedding_size>, .automatic = true, .low = 1,
     .high = 65536, .tasks = "classify,tag,translate,lm", .help = "numbers per word"},
    {.key = "model.token_input", .field = kModel<&ModelOptions::token_input>, .automatic = true,
     .allowed = {"embedding", "one_hot", "trigrams"}, .tasks = "classify",
     .help = "texts: a vector per token; 1 of N; or the sum of the vectors of a word's letter trigrams"},
    {.key = "model.buckets", .field = kModel<&ModelOptions::buckets>, .automatic = true, .low = 1, .high = 1e7,
     .tasks = "classify", .help = "vectors that letter trigrams are hashed to; auto: 20000"},
    {.key = "model.freeze_vectors", .field = kModel<&ModelOptions::freeze_vectors>, .tasks = "classify",
     .help = "do not train the embedding that --vectors begins with"},
    {.key = "model.pool", .field = kModel<&ModelOptions::pool>, .automatic = true,
     .allowed = {"last", "mean", "max", "attention"}, .tasks = "classify,regress",
     .help = "how the outputs of all steps become one vector"},
    {.key = "model.dropout", .field = kModel<&ModelOptions::dropout>, .automatic = true, .low = 0, .high = 0.95,
     .help = "share of values dropped on inputs and between layers"},
    {.key = "model.recurrent_dropout", .field = kModel<&ModelOptions::recurrent_dropout>, .low = 0, .high = 0.95,
     .help = "share of hidden values dropped from step to step, one mask per sequence"},
    {.key = "model.zoneout", .field = kModel<&ModelOptions::zoneout>, .low = 0, .high = 0.95,
     .help = "probability that a unit keeps its hidden value of the step before, in training"},
    {.key = "model.zoneout_memory", .field = kModel<&ModelOptions::zoneout_memory>, .low = 0, .high = 0.95,
     .help = "the same of its other states, like the memory of an LSTM"},
    {.key = "model.transitions", .field = kModel<&ModelOptions::transitions>, .low = 1, .high = 100,
     .help = "cells per step, one after another on the same state (deep transition)"},
    {.key = "model.layer_norm", .field = kModel<&ModelOptions::layer_norm>,
     .help = "normalise the outputs of each layer"},
    {.key = "model.dtype", .field = kModel<&ModelOptions::dtype>, .allowed = {"f32", "bf16", "int8"},
     .verbs = kEvaluate | kPredict, .help = "format of the weights of recurrent layers"},
    {.key = "model.linear_branch", .field = kModel<&ModelOptions::linear_branch>, .automatic = true,
     .allowed = {"true", "false"}, .tasks = "classify",
     .help = "texts: add the scores of TF-IDF + logistic regression, weighed on the validation part"},
    {.key = "model.activation", .field = kModel<&ModelOptions::activation>, .automatic = true,
     .allowed = {"tanh", "relu"}, .help = "of the cell rnn and of feed-forward layers"},
    {.key = "model.periods", .field = kModel<&ModelOptions::periods>, .automatic = true,
     .help = "clockwork: how often each of its modules steps, ascending: 1,2,4,8"},
    {.key = "model.heads", .field = kModel<&ModelOptions::heads>, .low = 1, .high = 65536,
     .help = "slstm, mlstm: groups of units that see, or remember, only their own group"},
    {.key = "model.output_activation", .field = kModel<&ModelOptions::output_activation>,
     .allowed = {"none", "tanh", "sigmoid", "softmax"}, .help = "jordan: of the output layer inside the cell"},
    {.key = "model.decay", .field = kModel<&ModelOptions::decay>, .low = 0, .high = 0.9999,
     .help = "jordan: what is left of the outputs so far at each step"},
    {.key = "model.merge", .field = kModel<&ModelOptions::merge>, .allowed = {"concat", "sum", "mean", "product"},
     .help = "what becomes of the outputs of two directions after each layer"},
    {.key = "model.connection", .field = kModel<&ModelOptions::connection>,
     .allowed = {"none", "residual", "highway"},
     .help = "way past each recurrent layer that reads as much as it gives: x is added, or let past by a gate"},
    {.key = "model.learned_initial_state", .field = kModel<&ModelOptions::learned_initial_state>,
     .help = "train the states that sequences start with, instead of zeros"},
    {.key = "model.tied", .field = kModel<&ModelOptions::tied>,
     .help = "all recurrent layers share their weights; the lowest one must read as much as it gives"},
    {.key = "model.tie_embeddings", .field = kModel<&ModelOptions::tie_embeddings>, .automatic = true,
     .allowed = {"true", "false"}, .tasks = "lm",
     .help = "the output layer uses the table of the embedding, which must be as wide as the last layer"},
    {.key = "model.attention", .field = kModel<&ModelOptions::attention>, .automatic = true,
     .allowed = {"additive", "dot", "general", "concat"}, .tasks = "translate",
     .help = "how the decoder scores source steps: additive (Bahdanau), the others as Luong, with input feeding"},
    {.key = "model.beam", .field = kModel<&ModelOptions::beam>, .automatic = true, .low = 1, .high = 10000,
     .verbs = kEvaluate | kPredict, .tasks = "transcribe,translate",
     .help = "hypotheses of beam search; 1: greedy, the best path; auto: as TASK does best"},
    {.key = "model.n_best", .field = kModel<&ModelOptions::n_best>, .low = 1, .high = 10000, .verbs = kPredict,
     .tasks = "transcribe,translate", .help = "outputs for each sample, best first"},
    {.key = "model.length_penalty", .field = kModel<&ModelOptions::length_penalty>, .low = 0, .high = 10,
     .verbs = kEvaluate | kPredict, .tasks = "translate",
     .help = "scores are divided by ((5 + tokens) / 6) to this power (Wu et al. 2016); 0: not"},
    {.key = "model.copy_unknown", .field = kModel<&ModelOptions::copy_unknown>, .automatic = true,
     .allowed = {"true", "false"}, .verbs = kEvaluate | kPredict, .tasks = "translate",
     .help = "an unknown word in the output becomes the source word it looks at; auto: if both sides are words"},
    {.key = "model.ensemble", .field = kModel<&ModelOptions::ensemble>, .verbs = kEvaluate | kPredict,
     .tasks = "translate", .help = "further models with the same vocabularies: their probabilities are averaged"},
    {.key = "model.crf", .field = kModel<&ModelOptions::crf>, .automatic = true, .allowed = {"true", "false"},
     .tasks = "tag", .help = "score whole sequences of tags (linear-chain CRF); false: each tag by itself (softmax)"},
    {.key = "model.crf_valid_tags_only", .field = kModel<&ModelOptions::crf_valid_tags_only>, .tasks = "tag",
     .help = "the loss of the CRF knows valid sequences of tags only; decoding always does"},
    {.key = "model.characters", .field = kModel<&ModelOptions::characters>, .automatic = true,
     .allowed = {"none", "lstm", "cnn"}, .tasks = "tag", .help = "what reads the characters of each word"},
    {.key = "model.token_pairs", .field = kModel<&ModelOptions::token_pairs>, .automatic = true,
     .allowed = {"true", "false"}, .tasks = "tag",
     .help = "an embedding for each token with the one behind it; auto: where tokens are characters"},
    {.key = "model.n_best", .field = kModel<&ModelOptions::n_best>, .low = 1, .high = 10000, .verbs = kPredict,
     .tasks = "tag", .help = "outputs for each sample, best first"},
    {.key = "model.word_window", .field = kModel<&ModelOptions::word_window>, .automatic = true, .low = 1, .high = 99,
     .tasks = "tag", .help = "words that are read at each step, an odd number: the word and its neighbours"},
};

const Option kTrainOptions[] = {
    {.key = "train.epochs", .field = kTraining<&TrainOptions::epochs>, .automatic = true, .low = 1, .high = 1e6,
     .help = "passes over the training data at most"},
    {.key = "train.batch_size", .field = kTraining<&TrainOptions::batch_size>, .automatic = true, .low = 1,
     .high = 1e6, .verbs = kTrain | kEvaluate | kPredict, .help = "samples per step"},
    {.key = "train.optimizer", .field = kTraining<&TrainOptions::optimizer>, .automatic = true,
     .allowed = {"sgd", "adam", "adamw", "rmsprop", "adagrad"}, .help = "rule that changes the weights"},
    {.key = "train.lr", .field = kTraining<&TrainOptions::lr>, .automatic = true, .low = 1e-9, .high = 100,
     .help = "learning rate"},
    {.key = "train.momentum", .field = kTraining<&TrainOptions::momentum>, .low = 0, .high = 0.9999,
     .help = "of sgd and rmsprop"},
    {.key = "train.schedule", .field = kTraining<&TrainOptions::schedule>, .automatic = true,
     .allowed = {"constant", "step", "cosine", "warmup", "plateau"}, .help = "how the learning rate changes"},
    {.key = "train.warmup_steps", .field = kTraining<&TrainOptions::warmup_steps>, .low = 0, .high = kLargeCount,
     .help = "steps in which the learning rate rises from 0"},
    {.key = "train.weight_decay", .field = kTraining<&TrainOptions::weight_decay>, .automatic = true, .low = 0,
     .high = 10, .help = "pull of the weights towards 0"},
    {.key = "train.input_noise", .field = kTraining<&TrainOptions::input_noise>, .low = 0, .high = 100,
     .help = "deviation of Gaussian noise added to inputs of numbers in training, in scaled units"},
    {.key = "train.clip", .field = kTraining<&TrainOptions::clip>, .automatic = true, .low = 0, .high = 1e6,
     .help = "largest global norm of the gradient; 0: no limit"},
    {.key = "train.clip_value", .field = kTraining<&TrainOptions::clip_value>, .low = 0, .high = 1e6,
     .help = "largest absolute value in the gradient; 0: no limit"},
    {.key = "train.accumulate", .field = kTraining<&TrainOptions::accumulate>, .low = 1, .high = 1e5,
     .help = "batches whose gradients are added before the weights change"},
    {.key = "train.bptt", .field = kTraining<&TrainOptions::bptt>, .low = 0, .high = kLargeCount,
     .help = "cut back-propagation into pieces of this many steps, carrying the state; 0: whole sequences"},
    {.key = "train.max_memory", .field = kTraining<&TrainOptions::max_memory>, .memory_size = true,
     .help = "keep training within this much memory, by computing steps twice; an error if that is not enough"},
    {.key = "train.patience", .field = kTraining<&TrainOptions::patience>, .automatic = true, .low = 1, .high = 1e6,
     .help = "stop after this many epochs without improvement"},
    {.key = "train.loss", .field = kTraining<&TrainOptions::loss>, .automatic = true,
     .allowed = {"cross_entropy", "mse", "mae", "huber", "bce"},
     .help = "what training makes small; regress: mse, mae, huber, or bce for targets of 0 and 1"},
    {.key = "train.label_smoothing", .field = kTraining<&TrainOptions::label_smoothing>, .low = 0, .high = 0.9,
     .tasks = "classify,translate", .help = "share of the target spread over all labels"},
    {.key = "train.scheduled_sampling", .field = kTraining<&TrainOptions::scheduled_sampling>, .low = 0, .high = 1,
     .tasks = "translate",
     .help = "share of target tokens that training replaces by the model's own, rising to this over the epochs"},
    {.key = "train.class_weights", .field = kTraining<&TrainOptions::class_weights>, .allowed = {"balanced"},
     .tasks = "classify", .help = "balanced: rare labels count more"},
    {.key = "train.seed", .field = kTraining<&TrainOptions::seed>, .low = 0, .high = 9e15,
     .help = "of every random choice: the same seed gives the same bits for any number of threads"},
    {.key = "train.threads", .field = kTraining<&TrainOptions::threads>, .automatic = true, .low = 1, .high = 256,
     .verbs = kEveryVerb, .help = "threads to use; auto: one per core"},
    {.key = "train.strict_kernels", .field = kTraining<&TrainOptions::strict_kernels>,
     .verbs = kTrain | kEvaluate | kPredict, .help = "a layer that cannot take its fast path is an error"},
};

const Option kOutputOptions[] = {
    {.key = "output.out", .field = kOutput<&OutputOptions::out>, .automatic = true,
     .help = "model file to write; auto: TASK.safetensors"},
    {.key = "output.run_dir", .field = kOutput<&OutputOptions::run_dir>, .automatic = true,
     .help = "folder for metrics.csv and resolved.toml; auto: runs/TASK-TIME"},
    {.key = "output.report", .field = kOutput<&OutputOptions::report>, .verbs = kTrain | kEvaluate,
     .help = "HTML page with curves and pictures to write; evaluate: of a classifier"},
    {.key = "output.alignments", .field = kOutput<&OutputOptions::alignments>, .verbs = kPredict,
     .tasks = "translate", .help = "JSON lines to write: which source steps each output token looked at"},
    {.key = "output.force", .field = kOutput<&OutputOptions::force>, .verbs = kTrain | kEvaluate | kPredict,
     .help = "overwrite files that exist"},
};
// clang-format on

}  // namespace

const std::vector<Option>& option_table() {
  static const std::vector<Option> table = [] {
    std::vector<Option> all;
    const auto add = [&](const auto& part) { all.insert(all.end(), std::begin(part), std::end(part)); };
    add(kFileOptions);
    add(kColumnOptions);
    add(kModelOptions);
    add(kTrainOptions);
    add(kOutputOptions);
    return all;
  }();
  return table;
}

}  // namespace carousel
