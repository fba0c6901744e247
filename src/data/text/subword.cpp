#include "data/text/subword.h"

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <algorithm>
#include <unordered_map>

#include "base/fail.h"
#include "data/text/vocabulary.h"

namespace carousel {
namespace {

constexpr std::string_view kBlank = "\xE2\x96\x81";  // U+2581

// The texts in pieces of at most 4 KB, cut behind a blank if there is one: SentencePiece passes over longer ones, and
// cannot number the characters of a word beyond 65,535.
class TextPieces final : public sentencepiece::SentenceIterator {
 public:
  explicit TextPieces(std::span<const std::string> texts) : texts_(texts) { Next(); }
  bool done() const override { return done_; }
  const std::string& value() const override { return piece_; }
  sentencepiece::util::Status status() const override { return {}; }

  void Next() override {
    constexpr std::size_t kLongest = 4096;
    while (text_ < texts_.size() && at_ >= texts_[text_].size()) {
      ++text_;
      at_ = 0;
    }
    done_ = text_ == texts_.size();
    if (done_) return;
    const std::string_view rest = std::string_view(texts_[text_]).substr(at_);
    std::size_t length = rest.size();
    if (length > kLongest) {
      const std::size_t blank = rest.rfind(' ', kLongest - 1);
      length = blank == std::string_view::npos ? kLongest : blank + 1;
      while (length > 1 && (static_cast<unsigned char>(rest[length]) & 0xC0U) == 0x80) --length;
    }
    piece_ = rest.substr(0, length);
    at_ += length;
    constexpr std::string_view kReserved = "\xE2\x96\x85";  // U+2585: SentencePiece passes over texts with it
    for (std::size_t at = 0; (at = piece_.find(kReserved, at)) != std::string::npos;) {
      piece_.replace(at, kReserved.size(), " ");
    }
  }

 private:
  std::span<const std::string> texts_;
  std::size_t text_ = 0, at_ = 0;
  std::string piece_;
  bool done_ = false;
};

}  // namespace

std::string train_subwords(std::span<const std::string> texts, const std::string& model, std::int64_t vocabulary_size) {
  if (model != "bpe" && model != "unigram") {
    fail(Code::kUsage, "subword model '{}' is unknown, expected bpe or unigram", model);
  }
  if (std::all_of(texts.begin(), texts.end(), [](const std::string& text) { return text.empty(); })) {
    fail(Code::kData, "there is no text to learn subwords from");
  }
  const std::unordered_map<std::string, std::string> settings{
      {"model_type", model},
      {"vocab_size", std::to_string(vocabulary_size == 0 ? kSubwordVocabulary : vocabulary_size)},
      {"hard_vocab_limit", "false"},            // a small corpus has fewer pieces
      {"byte_fallback", "true"},                // no character is unknown
      {"normalization_rule_name", "identity"},  // that is done before
      {"remove_extra_whitespaces", "false"},
      {"num_threads", "1"},  // sums in one order
      {"minloglevel", "4"},  // it would write to stderr
      {"pad_id", "0"},
      {"unk_id", "1"},
      {"bos_id", "2"},
      {"eos_id", "3"},
      {"pad_piece", "<pad>"},
      {"bos_piece", "<bos>"},
      {"eos_piece", "<eos>"}};
  TextPieces pieces(texts);
  std::string serialised;
  const auto status = sentencepiece::SentencePieceTrainer::Train(settings, &pieces, &serialised);
  if (!status.ok()) {
    fail(Code::kUsage, "learning a subword vocabulary of {} failed: {}; give another --max-vocabulary",
         settings.at("vocab_size"), status.error_message());
  }
  return serialised;
}

struct Subwords::Implementation {
  sentencepiece::SentencePieceProcessor processor;
};

Subwords::Subwords(const std::string& serialised) : implementation_(std::make_unique<Implementation>()) {
  auto& processor = implementation_->processor;
  const auto status = processor.LoadFromSerializedProto(serialised);
  if (!status.ok()) fail(Code::kModel, "subwords: {} bytes are no SentencePiece model", serialised.size());
  const Vocabulary specials;
  tokens_ = specials.tokens();
  theirs_.assign(tokens_.size(), processor.unk_id());
  ours_.assign(static_cast<std::size_t>(processor.GetPieceSize()), Vocabulary::kUnknown);
  for (int id = 0; id < processor.GetPieceSize(); ++id) {
    const std::string& piece = processor.IdToPiece(id);
    const bool special =
        std::find(specials.tokens().begin(), specials.tokens().end(), piece) != specials.tokens().end();
    if (special || processor.IsUnknown(id) || processor.IsControl(id) || processor.IsUnused(id)) continue;
    ours_[static_cast<std::size_t>(id)] = static_cast<std::int32_t>(tokens_.size());
    tokens_.push_back(piece);
    theirs_.push_back(id);
  }
  find_blank();
}

Subwords::Subwords(const std::string& serialised, const std::vector<std::string>& order) : Subwords(serialised) {
  if (order == tokens_) return;
  TokenIndex places;
  for (const std::string& token : order) places.add(token);
  bool is_order = order.size() == tokens_.size() && places.size() == std::ssize(order);
  for (std::size_t id = 0; id < tokens_.size() && is_order; ++id) {
    const auto place = static_cast<std::size_t>(places.find(tokens_[id]));  // none: beyond any id
    is_order = id < Vocabulary::kSpecials ? place == id : place < tokens_.size();
  }
  if (!is_order) {
    fail(Code::kModel, "the vocabulary of {} tokens is not that of its subwords, {} tokens", order.size(),
         tokens_.size());
  }
  const std::vector<int> before = theirs_;
  for (std::size_t id = Vocabulary::kSpecials; id < tokens_.size(); ++id) {
    const std::int32_t place = places.find(tokens_[id]);
    theirs_[static_cast<std::size_t>(place)] = before[id];
    ours_[static_cast<std::size_t>(before[id])] = place;
  }
  tokens_ = order;
  find_blank();
}

void Subwords::find_blank() {
  const auto found = std::find(tokens_.begin() + Vocabulary::kSpecials, tokens_.end(), kBlank);
  blank_ = found == tokens_.end() ? 0 : static_cast<std::int32_t>(found - tokens_.begin());
  if (blank_ != 0 && !words_are_apart()) blank_ = 0;
}

Subwords::~Subwords() = default;

// Whether a text gives the pieces of its words, and one more for every blank that no word follows.
bool Subwords::words_are_apart() const {
  const auto blanks = [](const std::string& token) { return token.rfind(kBlank); };
  if (std::any_of(tokens_.begin(), tokens_.end(),
                  [&](const std::string& token) { return blanks(token) != std::string::npos && blanks(token) > 0; })) {
    return false;
  }
  std::vector<std::int32_t> expected = encode_whole("a");
  expected.push_back(blank_);
  const std::vector<std::int32_t> b = encode_whole("b");
  expected.insert(expected.end(), b.begin(), b.end());
  expected.push_back(blank_);
  return encode_whole("a  b ") == expected;
}

// Nearly every word of a text has been cut before, which takes SentencePiece most of its time.
std::vector<std::int32_t> Subwords::encode(std::string_view text) {
  if (blank_ == 0 || text.empty()) return encode_whole(text);
  std::vector<std::int32_t> ids;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    append_word(text.substr(begin, end - begin), ids);
    begin = end + 1;
  }
  return ids;
}

void Subwords::append_word(std::string_view word, std::vector<std::int32_t>& ids) {
  constexpr std::size_t kLongest = 64, kMostWords = std::size_t{1} << 18;  // beyond that memory counts for more
  if (word.empty()) {
    ids.push_back(blank_);
    return;
  }
  std::int32_t place = words_.find(word);
  if (place == TokenIndex::kNone) {
    const std::vector<std::int32_t> pieces = encode_whole(word);
    if (word.size() > kLongest || word_ends_.size() == kMostWords) {
      ids.insert(ids.end(), pieces.begin(), pieces.end());
      return;
    }
    place = words_.add(word);
    word_ids_.insert(word_ids_.end(), pieces.begin(), pieces.end());
    word_ends_.push_back(word_ids_.size());
  }
  const auto k = static_cast<std::size_t>(place);
  const auto at = [&](std::size_t end) { return word_ids_.begin() + static_cast<std::ptrdiff_t>(end); };
  ids.insert(ids.end(), at(k == 0 ? 0 : word_ends_[k - 1]), at(word_ends_[k]));
}

std::vector<std::int32_t> Subwords::encode_whole(std::string_view text) const {
  std::vector<int> ids;
  const auto status = implementation_->processor.Encode({text.data(), text.size()}, &ids);
  if (!status.ok()) fail(Code::kInternal, "cutting a text into subwords failed: {}", status.error_message());
  for (int& id : ids) id = ours_[static_cast<std::size_t>(id)];
  return ids;
}

std::vector<Subword> Subwords::explain(std::string_view text) const {
  const auto cut = implementation_->processor.EncodeAsImmutableProto({text.data(), text.size()});
  std::vector<Subword> list;
  for (std::size_t k = 0; k < cut.pieces_size(); ++k) {
    const auto piece = cut.pieces(static_cast<int>(k));
    list.push_back({ours_[piece.id()], piece.piece(), piece.begin(), piece.end()});
  }
  for (std::size_t k = list.size(); k-- > 1;) {  // SentencePiece gives the last byte of a character all of it
    Subword& piece = list[k - 1];
    const bool is_byte = implementation_->processor.IsByte(theirs_[static_cast<std::size_t>(piece.id)]);
    if (is_byte && piece.begin == piece.end) piece.end = list[k].end;
  }
  return list;
}

std::string Subwords::text_of(std::int32_t id) const {
  std::string text = tokens_[static_cast<std::size_t>(id)];
  if (id >= Vocabulary::kSpecials && implementation_->processor.IsByte(theirs_[static_cast<std::size_t>(id)])) {
    return std::string(1, static_cast<char>(std::stoi(text.substr(3, 2), nullptr, 16)));  // <0xE2>
  }
  for (std::size_t at = 0; (at = text.find(kBlank, at)) != std::string::npos;) text.replace(at, kBlank.size(), " ");
  return text;
}

std::string Subwords::decode(std::span<const std::int32_t> ids) const {
  std::vector<int> theirs;
  for (const std::int32_t id : ids) {
    if (id == Vocabulary::kUnknown || id >= Vocabulary::kSpecials)
      theirs.push_back(theirs_[static_cast<std::size_t>(id)]);
  }
  std::string text;
  const auto status = implementation_->processor.Decode(theirs, &text);
  if (!status.ok()) fail(Code::kInternal, "putting subwords together failed: {}", status.error_message());
  return text;
}

}  // namespace carousel
