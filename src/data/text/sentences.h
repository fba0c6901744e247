// sentences.h: a text cut into sentences.
//
// By Unicode's rules (UAX 29, as ICU has them), those of no particular language: after . ! ? and their like in all
// scripts, and at line ends. "e.g. this" is one sentence, "Mr. Smith" two.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

namespace carousel {

// Holds the boundary rules, which are slow to make and quick to use; belongs to one thread at a time.
class SentenceSplitter {
 public:
  SentenceSplitter();
  ~SentenceSplitter();
  SentenceSplitter(SentenceSplitter&&) noexcept;
  SentenceSplitter& operator=(SentenceSplitter&&) noexcept;

  // Replaces `sentences` by those of the text, as views into it, which together are the whole text: white space behind
  // a sentence belongs to it. REQUIRES: well-formed UTF-8. Throws Error{kData} for a text of 2 GiB or more.
  void split(std::string_view text, std::vector<std::string_view>& sentences);

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace carousel
