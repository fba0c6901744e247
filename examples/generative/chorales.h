// chorales.h: reads pieces of music, one set of keys for each frame of time, and puts them into batches.
//
// The file is JSON as in the set of Boulanger-Lewandowski et al. (2012): an object with the parts "train", "valid" and
// "test", each a list of pieces, each a list of frames, each a list of MIDI pitches from 21 to 108:
//   {"train": [[[74, 70, 65, 58], [74, 70, 65, 58], [75, 70, 58, 55]], ...], "valid": [...], "test": [...]}
#pragma once

#include <carousel/carousel.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

namespace generative {

constexpr int kKeys = 88, kLowestPitch = 21;  // of a piano

using Frame = std::vector<int>;  // keys 0 .. 87
using Piece = std::vector<Frame>;

struct Chorales {
  std::vector<Piece> train, valid, test;
};

// The few rules of JSON that such a file needs. Throws carousel::Error{kData} with the place of what is wrong.
class ChoraleReader {
 public:
  ChoraleReader(std::string path, std::string text) : path_(std::move(path)), text_(std::move(text)) {}

  Chorales read();

 private:
  template <class F>
  auto take_list(F item) {
    std::vector<decltype(item())> list;
    take('[');
    if (comes(']')) return list;
    do list.push_back(item());
    while (comes(','));
    take(']');
    return list;
  }

  Piece take_piece() {
    Piece piece = take_list([this] {
      Frame keys = take_list([this] { return take_key(); });
      std::sort(keys.begin(), keys.end());
      keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
      return keys;
    });
    if (piece.empty()) fail("a piece has no frames");
    return piece;
  }

  int take_key() {
    skip_blanks();
    int pitch = 0, digits = 0;
    for (; at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])) && digits < 4; ++at_, ++digits) {
      pitch = 10 * pitch + (text_[at_] - '0');
    }
    if (digits == 0) fail("expected a MIDI pitch");
    if (pitch < kLowestPitch || pitch >= kLowestPitch + kKeys) {
      fail("MIDI pitch " + std::to_string(pitch) + ", expected 21 to 108");
    }
    return pitch - kLowestPitch;
  }

  std::string take_name() {
    take('"');
    const std::size_t end = std::min(text_.find('"', at_), text_.size());
    std::string name = text_.substr(at_, end - at_);
    at_ = end;
    take('"');
    return name;
  }

  void skip_blanks() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  bool comes(char letter) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != letter) return false;
    ++at_;
    return true;
  }
  void take(char letter) {
    if (!comes(letter)) fail(std::string("expected '") + letter + "'");
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw carousel::Error(carousel::Code::kData, path_ + ": byte " + std::to_string(at_) + ": " + what);
  }

  std::string path_, text_;
  std::size_t at_ = 0;
};

inline Chorales ChoraleReader::read() {
  std::map<std::string, std::vector<Piece>> parts;
  take('{');
  do {
    const std::string name = take_name();
    if (name != "train" && name != "valid" && name != "test") fail("unknown part '" + name + "'");
    take(':');
    parts[name] = take_list([this] { return take_piece(); });
  } while (comes(','));
  take('}');
  for (const char* name : {"train", "valid", "test"}) {
    if (parts[name].empty()) fail(std::string("there are no pieces in the part '") + name + "'");
  }
  return {parts["train"], parts["valid"], parts["test"]};
}

inline Chorales read_chorales(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw carousel::Error(carousel::Code::kIo, path + ": cannot be opened");
  return ChoraleReader(path, {std::istreambuf_iterator<char>(file), {}}).read();
}

// Pieces of about the same length side by side, padded with silence.
struct Batch {
  carousel::Tensor frames;            // [T, N, 88]: 1 where a key sounds, else 0
  carousel::Tensor valid;             // [T N]: 1 for the frames of a piece, 0 behind its end
  std::vector<std::int32_t> lengths;  // [N]
  std::int64_t frame_count = 0;       // the sum of the lengths

  std::int64_t time_steps() const { return frames.shape()[0]; }
  std::int64_t samples() const { return frames.shape()[1]; }
  std::int64_t rows() const { return time_steps() * samples(); }
};

// `pieces` are those of one batch.
inline Batch make_batch(const std::vector<Piece>& pieces) {
  Batch batch;
  std::size_t longest = 0;
  for (const Piece& piece : pieces) longest = std::max(longest, piece.size());
  const auto T = static_cast<std::int64_t>(longest), N = static_cast<std::int64_t>(pieces.size());
  batch.frames = carousel::Tensor({T, N, kKeys});
  batch.valid = carousel::Tensor({T * N});
  for (std::int64_t n = 0; n < N; ++n) {
    const Piece& piece = pieces[static_cast<std::size_t>(n)];
    for (std::size_t t = 0; t < piece.size(); ++t) {
      const std::int64_t row = static_cast<std::int64_t>(t) * N + n;
      for (const int key : piece[t]) batch.frames[row * kKeys + key] = 1;
      batch.valid[row] = 1;
    }
    batch.lengths.push_back(static_cast<std::int32_t>(piece.size()));
    batch.frame_count += static_cast<std::int64_t>(piece.size());
  }
  return batch;
}

// All pieces, the shortest first.
inline std::vector<Batch> make_batches(std::vector<Piece> pieces, std::size_t batch_size) {
  std::stable_sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) { return a.size() < b.size(); });
  std::vector<Batch> batches;
  for (std::size_t first = 0; first < pieces.size(); first += batch_size) {
    const auto begin = pieces.begin() + static_cast<std::ptrdiff_t>(first);
    const auto count = static_cast<std::ptrdiff_t>(std::min(batch_size, pieces.size() - first));
    batches.push_back(make_batch({begin, begin + count}));
  }
  return batches;
}

// Negative log-likelihood of a frame of `test`, in nats, if each key sounds by itself as often as in `train` (with one
// frame more of each kind, so that no key is impossible).
inline double key_frequency_nll(const std::vector<Piece>& train, const std::vector<Piece>& test) {
  const auto count = [](const std::vector<Piece>& pieces) {
    std::vector<double> of_key(kKeys + 1);  // the last entry counts frames
    for (const Piece& piece : pieces) {
      for (const Frame& frame : piece) {
        for (const int key : frame) of_key[static_cast<std::size_t>(key)] += 1;
        of_key[kKeys] += 1;
      }
    }
    return of_key;
  };
  const std::vector<double> known = count(train), asked = count(test);
  double nll = 0;
  for (std::size_t key = 0; key < kKeys; ++key) {
    const double p = (known[key] + 1) / (known[kKeys] + 2), share = asked[key] / asked[kKeys];
    nll -= share * std::log(p) + (1 - share) * std::log(1 - p);
  }
  return nll;
}

}  // namespace generative
