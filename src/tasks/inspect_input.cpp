#include "tasks/inspect_input.h"

#include <algorithm>
#include <numeric>

#include "base/fail.h"
#include "carousel/attention.h"
#include "formats/npy.h"
#include "tasks/classify/classify_model.h"
#include "tasks/classify/documents.h"
#include "tasks/classify/token_weights.h"
#include "tasks/forecast/forecast_data.h"
#include "tasks/impute/impute_model.h"
#include "tasks/lm/lm_model.h"
#include "tasks/regress/regress_model.h"
#include "tasks/tag/tag_model.h"
#include "tasks/tag/tag_network.h"
#include "tasks/tag/tag_text.h"
#include "tasks/token_input.h"
#include "tasks/transcribe/transcribe_model.h"
#include "tasks/translate/translate_model.h"

namespace carousel {
namespace {

void read_texts(TextPipeline pipeline, std::vector<std::string> texts, InspectData& data, bool hierarchical = false) {
  DocumentEncoder documents(pipeline);
  std::int64_t length = 1;
  for (const std::string& text : texts) {
    length = std::max(length, std::ssize(hierarchical ? documents.encode(text) : pipeline.encode(text)));
  }
  const std::int64_t N = std::ssize(texts);
  data.ids = IdTensor({length, N});
  for (std::int64_t n = 0; n < N; ++n) {
    const std::string& text = texts[static_cast<std::size_t>(n)];
    data.traces.push_back(hierarchical ? documents.explain(text, length) : pipeline.explain(text, length));
    const TextTrace& trace = data.traces.back();
    data.lengths.push_back(static_cast<std::int32_t>(trace.ids.size()));
    for (std::int64_t t = 0; t < length; ++t) data.ids[t * N + n] = trace.padded[static_cast<std::size_t>(t)];
  }
  data.unseen = hash_words(pipeline.unseen_words(), pipeline.settings().buckets);
}

void take_sequences(const Samples& samples, std::int64_t most, InspectData& data) {
  std::vector<std::int64_t> first(static_cast<std::size_t>(std::min(most, samples.size())));
  std::iota(first.begin(), first.end(), 0);
  SampleBatch batch;
  batch.assign(samples, first);
  data.values = std::move(batch.sequences.values);
  data.lengths = std::move(batch.sequences.lengths);
}

void read_classify(const Model& model, const DataOptions& options, const InspectRequest& request, InspectData& data) {
  const ClassifyInfo info = ClassifyInfo::from_model(model);
  data.results = info.labels;
  data.result_axis = "class";
  if (!request.texts.empty()) {
    if (!info.text) fail(Code::kUsage, "--text: this classifier takes sequences of numbers, give --data");
    read_texts(info.pipeline(), request.texts, data, info.hierarchical);
    data.weights = token_weights(model.network(), data.ids, data.lengths);
  } else if (!options.data.empty()) {
    ClassifyData read = read_classify_data(options.data, options, &info.labels, false);
    data.notes = read.notes;
    if (read.is_text() != info.text.has_value()) {
      fail(Code::kData, "{}: holds {}, the model takes {}", fmt::join(options.data, ", "),
           read.is_text() ? "texts" : "numbers", read.is_text() ? "numbers" : "texts");
    }
    if (read.is_text()) {
      read.texts.resize(std::min(read.texts.size(), static_cast<std::size_t>(request.samples)));
      read_texts(info.pipeline(), std::move(read.texts), data, info.hierarchical);
      data.weights = token_weights(model.network(), data.ids, data.lengths);
    } else {
      take_sequences(read.samples, request.samples, data);
    }
  }
}

// The texts, or the first lines of the data.
void read_lm(const Model& model, const DataOptions& options, const InspectRequest& request, InspectData& data) {
  const LmInfo info = LmInfo::from_model(model);
  data.results = info.vocabulary;
  data.result_axis = "token";
  Lines lines = request.texts;
  if (lines.empty() && !options.data.empty()) {
    lines = read_lines(options.data);
    lines.resize(std::min(lines.size(), static_cast<std::size_t>(request.samples)));
  }
  if (!lines.empty()) read_texts(TextPipeline(info.text, Vocabulary::from_tokens(info.vocabulary)), lines, data);
}

// What each step of the horizon looks at, if a decoder with attention looks at the windows.
void align_windows(const Model& model, const ForecastData& read, std::span<const WindowAt> windows, InspectData& data) {
  std::vector<Tensor> alignments;
  model.network().predict({.values = &data.values, .alignments = &alignments});
  if (alignments.empty() || alignments.front().shape().rank() != 3) return;  // weights of a pooling have two axes
  const std::int64_t H = alignments.front().shape()[0], N = std::ssize(windows), T = alignments.front().shape()[2];
  for (std::int64_t n = 0; n < N; ++n) {
    const WindowAt& window = windows[static_cast<std::size_t>(n)];
    const TimeAxis& times = read.series[static_cast<std::size_t>(window.series)].times;
    Alignment one{{}, {}, Tensor({H, T})};
    for (std::int64_t row = window.origin - T; row < window.origin; ++row) {
      one.source.push_back(times.understood() ? times.text(row) : fmt::format("row {}", row));
    }
    for (std::int64_t h = 0; h < H; ++h) {
      one.output.push_back(fmt::format("+{}", h + 1));
      std::copy_n(alignments.front().data() + (h * N + n) * T, T, one.weights.data() + h * T);
    }
    data.alignments.push_back(std::move(one));
  }
}

// The window that ends with the last row of each series.
void read_forecast(const Model& model, const DataOptions& options, const InspectRequest& request, InspectData& data) {
  const ForecastInfo info = ForecastInfo::from_model(model);
  data.columns = info.columns;
  data.result_axis = "horizon x target";
  for (std::int64_t h = 1; h <= info.horizon; ++h) {
    for (const std::string& target : info.targets) data.results.push_back(fmt::format("{} +{}", target, h));
  }
  if (options.data.empty()) return;
  const ForecastData read = read_series_for_model(options.data, options, info, Parts::kAllKnown);
  data.notes = read.notes;
  if (!info.scales_inside()) data.notes.push_back("values are scaled, as the network takes them");
  const std::int64_t N = std::min(request.samples, std::ssize(read.series)), T = info.window;
  std::vector<WindowAt> windows;
  for (std::int64_t n = 0; n < N; ++n) {
    const std::int64_t rows = read.series[static_cast<std::size_t>(n)].known_steps();
    if (rows < T) {
      fail(Code::kData, "{}: series {} has {} rows, the model's window is {}", options.data.front(), n, rows, T);
    }
    data.lengths.push_back(static_cast<std::int32_t>(T));
    windows.push_back({n, rows});
  }
  gather_inputs(read.scaled, windows, T, data.values);
  unscale_inputs(info, data.values);
  align_windows(model, read, windows, data);
}

// The first window of each series.
void read_impute(const Model& model, const DataOptions& options, const InspectRequest& request, InspectData& data) {
  const ForecastInfo info = ImputeInfo::from_model(model).series;
  data.columns = info.columns;
  data.results = info.targets;
  data.result_axis = "target";
  if (options.data.empty()) return;
  const ForecastData read = read_series_for_model(options.data, options, info, Parts::kAllKnown);
  data.notes = read.notes;
  data.notes.push_back(
      "values are scaled, as the network takes them, missing ones on a straight line; what it gives "
      "is added to that line");
  std::vector<Series> rows;
  std::vector<WindowAt> windows;
  std::int64_t T = info.window;
  for (const Series& series : read.series) T = std::min(T, series.time_steps());
  for (std::int64_t n = 0; n < std::min(request.samples, std::ssize(read.series)); ++n) {
    const auto k = static_cast<std::size_t>(n);
    rows.push_back(network_rows(read.series[k], read.scalers[k], info));
    windows.push_back({n, T});
    data.lengths.push_back(static_cast<std::int32_t>(T));
  }
  gather_inputs(rows, windows, T, data.values);
}

void read_regress(const Model& model, const DataOptions& options, const InspectRequest& request, InspectData& data) {
  const RegressInfo info = RegressInfo::from_model(model);
  data.columns = info.columns.features;
  data.results = info.columns.targets;
  data.result_axis = "target";
  if (options.data.empty()) return;
  RegressData read = read_regress_data(options.data, options, &info.columns, false);
  data.notes = read.notes;
  if (read.missing > 0) data.notes.push_back("missing values are filled with the mean of the training part");
  fill_missing(read, info.input_means());
  take_sequences(read.samples, request.samples, data);
}

void read_transcribe(const Model& model, const DataOptions& options, const InspectRequest& request, InspectData& data) {
  const TranscribeInfo info = TranscribeInfo::from_model(model);
  const TranscriptLabels labels = info.labels();
  data.results = {"<blank>"};
  for (std::int32_t k = 1; k < labels.classes(); ++k) data.results.push_back(labels.name(k));
  data.result_axis = "label";
  if (options.data.empty()) return;
  Utterances read = read_utterances(options.data, options, &info.frames, false);
  stack_frames(read, info.frames.stack);
  data.notes = read.notes;
  take_sequences(read.samples, request.samples, data);
}

// The sources as the encoder takes them, and the targets, or what is written, as the decoder does.
void read_translate(const Model& model, const DataOptions& options, const InspectRequest& request, InspectData& data) {
  const TranslateInfo info = TranslateInfo::from_model(model);
  data.results = info.target_vocabulary;
  data.result_axis = "target token";
  const Translator translator(model.network());
  check_vocabularies(translator, info);
  TranslateData read;
  if (!request.texts.empty()) {
    read.pairs.sources = request.texts;
  } else if (!options.data.empty() || !options.source.empty()) {
    read.pairs = read_translate_pairs(options, !options.target.empty());
    data.notes = read.pairs.notes;
    for (auto* texts : {&read.pairs.sources, &read.pairs.targets}) {
      texts->resize(std::min(texts->size(), static_cast<std::size_t>(request.samples)));
    }
  }
  if (read.pairs.sources.empty()) return;
  const bool given = !read.pairs.targets.empty();
  read_texts(info.source_text(), read.pairs.sources, data);
  data.notes.emplace_back(given
                              ? "the decoder is shown on the targets of the data"
                              : "the decoder is shown on what it writes itself, the most probable token at each step");
  std::vector<std::int64_t> all(read.pairs.sources.size());
  std::iota(all.begin(), all.end(), 0);
  for (const std::int64_t n : all) read.groups.push_back({n});
  encode_pairs(read, info);
  TargetText target = info.target_text();
  std::vector<WrittenText> written;
  if (given) {
    for (std::size_t n = 0; n < all.size(); ++n) {
      const std::string& text = read.pairs.targets[n];
      TokenIds ids = read.targets[n];
      ids.pop_back();  // <eos>
      written.push_back({.tokens = target.cut(text), .text = text, .ids = std::move(ids)});
    }
  } else {
    written = best_of(write_texts({&translator, 1}, info, read, all, {}));
    for (const WrittenText& one : written) read.targets.push_back(one.ids);
    for (TokenIds& ids : read.targets) ids.push_back(Vocabulary::kEnd);
  }
  data.alignments = align({&translator, 1}, info, read, all, written);
  PaddedIds inputs = decoder_inputs(pad_ids(read.targets, all));
  data.target_ids = std::move(inputs.ids);
  data.target_lengths = std::move(inputs.lengths);
}

// A text as the tagger cuts it. The values are what its body reads.
void read_tag(const Model& model, const DataOptions& options, const InspectRequest& request, InspectData& data) {
  const TagInfo info = TagInfo::from_model(model);
  data.results = info.tags;
  data.result_axis = "tag";
  data.notes.push_back(fmt::format(
      "the body reads what the parts before it give for each token{}, side by side",
      info.word_window > 1 ? fmt::format(" and its neighbours, {} tokens together", info.word_window) : ""));
  TagData sentences;
  TextCutter cutter(info.text.level);
  std::vector<PlacedText> texts;
  for (const std::string& text : request.texts) {
    texts.push_back(cutter.cut(text));
    sentences.sentences.push_back({.tokens = texts.back().words(), .path = "--text", .line = 1});
    check_length(std::ssize(sentences.sentences.back().tokens), "--text");
  }
  if (!options.data.empty()) sentences = read_tag_data(options, false);
  if (sentences.size() == 0) return;
  const auto is_empty = [](const TaggedSentence& sentence) { return sentence.tokens.empty(); };
  if (std::ranges::all_of(sentences.sentences, is_empty)) {
    fail(Code::kUsage, "--text: no token in it, expected at least one to tag");
  }
  if (sentences.size() > request.samples && request.texts.empty()) {
    sentences.sentences.resize(static_cast<std::size_t>(request.samples));
  }
  encode_sentences(info, sentences);
  std::vector<std::int64_t> all(sentences.sentences.size());
  std::iota(all.begin(), all.end(), 0);
  data.lengths = sentences.lengths(all);
  data.values = token_inputs(model.network(), sentences, all, info.word_window);
  for (std::size_t n = 0; n < all.size(); ++n) {
    if (request.texts.empty()) texts.push_back(joined_text(sentences.sentences[n].tokens, info.text.level));
    data.traces.push_back(trace_of(texts[n], sentences.words[n]));
    pad(data.traces.back(), data.values.shape()[0]);
  }
  data.sentences = std::move(sentences);
}

// Networks of one's own: arrays.
void read_arrays(const Model& model, const DataOptions& options, const InspectRequest& request, InspectData& data) {
  if (options.data.empty()) return;
  if (options.data.size() > 1 || !(options.data[0].ends_with(".npy") || options.data[0].ends_with(".npy.gz"))) {
    fail(Code::kUsage, "{}: a model for '{}' is shown one .npy file of sequences, {}", fmt::join(options.data, ", "),
         model.task(), options.batch_first ? "[N, T, C]" : "[T, N, C]");
  }
  Tensor all = read_npy<float>(options.data[0], NpyConversion::kRound);
  if (all.shape().rank() != 3) {
    fail(Code::kData, "{}: has shape {}, expected {}", options.data[0], all.shape().to_string(),
         options.batch_first ? "[N, T, C]" : "[T, N, C]");
  }
  if (options.batch_first) all = transpose_time_and_batch(static_cast<const Tensor&>(all).view());
  const std::int64_t T = all.shape()[0], C = all.shape()[2], N = std::min(request.samples, all.shape()[1]);
  data.values = Tensor({T, N, C});
  for (std::int64_t t = 0; t < T; ++t) {
    std::copy_n(all.data() + t * all.shape()[1] * C, N * C, data.values.data() + t * N * C);
  }
  data.lengths.assign(static_cast<std::size_t>(N), static_cast<std::int32_t>(T));
}

struct Reader {
  std::string_view task;
  bool takes_texts;
  void (*read)(const Model&, const DataOptions&, const InspectRequest&, InspectData&);
};

constexpr Reader kReaders[] = {{"classify", true, read_classify},      {"forecast", false, read_forecast},
                               {"impute", false, read_impute},         {"lm", true, read_lm},
                               {"regress", false, read_regress},       {"tag", true, read_tag},
                               {"transcribe", false, read_transcribe}, {"translate", true, read_translate}};
constexpr Reader kOwnNetwork{"", false, read_arrays};

const Reader& reader_of(const Model& model) {
  const auto* found =
      std::find_if(std::begin(kReaders), std::end(kReaders), [&](const Reader& r) { return r.task == model.task(); });
  return found == std::end(kReaders) ? kOwnNetwork : *found;
}

}  // namespace

InspectData read_inspect_data(const Model& model, const DataOptions& options, const InspectRequest& request) {
  if (!request.texts.empty() && !options.data.empty()) fail(Code::kUsage, "give --data or --text, not both");
  const Reader& reader = reader_of(model);
  if (!request.texts.empty() && !reader.takes_texts) {
    fail(Code::kUsage, "--text: a model for '{}' takes numbers, give --data", model.task());
  }
  InspectData data;
  reader.read(model, options, request, data);
  return data;
}

}  // namespace carousel
