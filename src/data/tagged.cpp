#include "data/tagged.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "base/fail.h"
#include "data/lines.h"
#include "data/text/segment.h"

namespace carousel {
namespace {

constexpr std::string_view kDocumentStart = "-DOCSTART-";

// What stands between blanks and tabs. Other white space may be a token: an ideographic space is a character.
std::vector<std::string_view> split_at_blanks(std::string_view line) {
  std::vector<std::string_view> parts;
  for (std::size_t at = line.find_first_not_of(" \t"); at != std::string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(" \t", at), line.size());
    parts.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(" \t", end);
  }
  return parts;
}

std::vector<std::string_view> split_at_tabs(std::string_view line) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0;;) {
    const std::size_t end = std::min(line.find('\t', at), line.size());
    parts.push_back(line.substr(at, end - at));
    if (end == line.size()) return parts;
    at = end + 1;
  }
}

std::string_view trimmed(std::string_view cell) {
  const std::size_t begin = cell.find_first_not_of(' ');
  return begin == std::string_view::npos ? "" : cell.substr(begin, cell.find_last_not_of(' ') - begin + 1);
}

bool starts_document(std::string_view line) {
  const auto cells = split_at_blanks(line);
  return !cells.empty() && cells[0] == kDocumentStart;
}

struct Skipped {
  std::int64_t comments = 0, documents = 0, empty = 0;
};

class ColumnReader {
 public:
  ColumnReader(const TaggedSources& sources, const std::string& path, Skipped& skipped)
      : sources_(sources), path_(path), skipped_(skipped) {
    CheckedLines lines(path);
    for (std::string line; lines.next(line);) lines_.push_back(line);
  }

  void read(std::vector<TaggedSentence>& sentences) {
    look_ahead();
    number_ = 0;
    for (const std::string& line : lines_) {
      ++number_;
      const std::vector<std::string_view> cells = split(line);
      if (split_at_blanks(line).empty()) {
        finish(sentences);
      } else if (is_comment(line, cells)) {
        ++skipped_.comments;
      } else if (starts_document(line)) {
        finish(sentences);
        ++skipped_.documents;
      } else {
        add(cells);
      }
    }
    finish(sentences);
  }

 private:
  std::string place() const { return fmt::format("{}:{}", path_, number_); }

  std::vector<std::string_view> split(std::string_view line) const {
    return tabs_ ? split_at_tabs(line) : split_at_blanks(line);
  }

  // The first line that can be nothing but a token decides about columns.
  void look_ahead() {
    number_ = 0;
    for (const std::string& line : lines_) {
      ++number_;
      if (line.starts_with('#') || starts_document(line) || split_at_blanks(line).empty()) continue;
      if (columns_ == 0) start(line);
      const std::vector<std::string_view> cells = split(line);
      if (cells.size() == columns_) known_tags_.insert(cells[tag_column_]);
    }
  }

  // Blanks give a comment as many columns as a token has, now and then: then its last word is no known tag.
  bool is_comment(const std::string& line, const std::vector<std::string_view>& cells) const {
    if (!line.starts_with('#') || !sentence_.tokens.empty()) return false;
    return cells.size() != columns_ || (sources_.tags_required && !tabs_ && !known_tags_.contains(cells[tag_column_]));
  }

  std::size_t column(std::int64_t number, std::size_t automatic, const char* flag) const {
    if (number == 0) return automatic;
    if (number > static_cast<std::int64_t>(columns_)) {
      fail(Code::kData, "{}: has {} columns, {} asks for number {}", place(), columns_, flag, number);
    }
    return static_cast<std::size_t>(number - 1);
  }

  void start(std::string_view line) {
    tabs_ = line.find('\t') != std::string_view::npos;
    columns_ = split(line).size();
    token_column_ = column(sources_.token_column, 0, "--token-column");
    tag_column_ = column(sources_.tag_column, columns_ - 1, "--tag-column");
    if (sources_.tags_required && tag_column_ == token_column_) {
      fail(Code::kData,
           "{}: the tag would be column {} of {}, which is that of the tokens; give --tag-column, or the tags in a "
           "file of their own with --tags",
           place(), tag_column_ + 1, columns_);
    }
  }

  void add(const std::vector<std::string_view>& cells) {
    if (cells.size() != columns_) {
      fail(Code::kData, "{}: expected {} columns, as the lines before it have, got {}", place(), columns_,
           cells.size());
    }
    if (sentence_.tokens.empty()) sentence_.line = number_;
    const std::string_view token = trimmed(cells[token_column_]);
    add(token.empty() ? cells[token_column_] : token, token_column_, sentence_.tokens);  // a token may be a blank
    if (sources_.tags_required) add(trimmed(cells[tag_column_]), tag_column_, sentence_.tags);
  }

  void add(std::string_view cell, std::size_t column, std::vector<std::string>& list) const {
    if (cell.empty()) fail(Code::kData, "{}: column {} is empty", place(), column + 1);
    list.emplace_back(cell);
  }

  void finish(std::vector<TaggedSentence>& sentences) {
    if (sentence_.tokens.empty()) return;
    sentence_.path = path_;
    sentence_.line_per_token = true;
    sentences.push_back(std::exchange(sentence_, {}));
  }

  const TaggedSources& sources_;
  const std::string& path_;
  Skipped& skipped_;
  std::vector<std::string> lines_;
  std::set<std::string_view> known_tags_;  // of lines that are no comments for sure; into lines_
  TaggedSentence sentence_;
  std::int64_t number_ = 0;                                      // of the line that is looked at, from 1
  std::size_t columns_ = 0, token_column_ = 0, tag_column_ = 0;  // columns_ 0: there is no token
  bool tabs_ = false;
};

std::vector<std::string> strings(const std::vector<std::string_view>& views) { return {views.begin(), views.end()}; }

void check_ended(CheckedLines& lines, const CheckedLines& other) {
  std::string line;
  if (lines.next(line)) {
    fail(Code::kData, "{}:{}: has no line of its own in {}, which ends before it", lines.path(), lines.line_number(),
         other.path());
  }
}

void read_parallel(const std::string& path, const std::string& tag_path, Skipped& skipped,
                   std::vector<TaggedSentence>& sentences) {
  CheckedLines lines(path);
  std::optional<CheckedLines> tag_lines;
  if (!tag_path.empty()) tag_lines.emplace(tag_path);
  std::string line, tag_line;
  while (lines.next(line)) {
    TaggedSentence sentence;
    sentence.tokens = strings(split_at_blanks(line));
    if (tag_lines) {
      if (!tag_lines->next(tag_line)) {
        fail(Code::kData, "{}:{}: has no tags, {} ends before that line", path, lines.line_number(), tag_path);
      }
      sentence.tags = strings(split_at_blanks(tag_line));
      if (sentence.tags.size() != sentence.tokens.size()) {
        fail(Code::kData, "{}:{}: has {} tokens, the same line of {} has {} tags", path, lines.line_number(),
             sentence.tokens.size(), tag_path, sentence.tags.size());
      }
    }
    sentence.path = path;
    sentence.line = lines.line_number();
    skipped.empty += sentence.tokens.empty();
    sentences.push_back(std::move(sentence));
  }
  if (tag_lines) check_ended(*tag_lines, lines);
}

void read_segmented(const std::string& path, Skipped& skipped, std::vector<TaggedSentence>& sentences) {
  CheckedLines lines(path);
  Segmenter characters(TextLevel::kCharacter), words(TextLevel::kWhitespace);
  std::vector<std::string_view> in_line, in_word;
  std::string line;
  while (lines.next(line)) {
    TaggedSentence sentence;
    words.segment(line, in_line);
    for (const std::string_view word : in_line) {
      characters.segment(word, in_word);
      for (std::size_t k = 0; k < in_word.size(); ++k) {
        sentence.tokens.emplace_back(in_word[k]);
        const bool first = k == 0, last = k + 1 == in_word.size();
        sentence.tags.emplace_back(first && last ? "S" : first ? "B" : last ? "E" : "M");
      }
    }
    sentence.path = path;
    sentence.line = lines.line_number();
    skipped.empty += sentence.tokens.empty();
    sentences.push_back(std::move(sentence));
  }
}

// One label a line for the sentences from `first` on.
void read_labels(const std::string& path, std::size_t first, std::vector<TaggedSentence>& sentences) {
  CheckedLines lines(path);
  std::string line;
  for (std::size_t n = first; n < sentences.size(); ++n) {
    TaggedSentence& sentence = sentences[n];
    if (!lines.next(line)) {
      fail(Code::kData, "{}: the sentence there has no label, {} ends after {} lines", sentence.place(0), path,
           lines.line_number());
    }
    const auto words = split_at_blanks(line);
    if (words.empty() && sentence.tokens.empty()) continue;
    if (words.empty()) fail(Code::kData, "{}:{}: the label is empty", path, lines.line_number());
    sentence.label = std::string(words.front().data(), words.back().data() + words.back().size());
  }
  if (lines.next(line)) {
    fail(Code::kData, "{}:{}: there are only {} sentences to label", path, lines.line_number(),
         sentences.size() - first);
  }
}

void check_counts(const TaggedSources& s) {
  const auto check = [&](const std::vector<std::string>& files, const char* what) {
    if (files.size() == s.tokens.size()) return;
    fail(Code::kUsage, "{} files of {} for {} files of tokens ({}), expected as many", files.size(), what,
         s.tokens.size(), fmt::join(s.tokens, ", "));
  };
  if (s.format == "parallel" && (s.tags_required || !s.tags.empty())) check(s.tags, "tags");
  if (!s.labels.empty()) check(s.labels, "labels");
  if (s.format != "parallel" && !s.tags.empty()) {
    fail(Code::kUsage, "format '{}' has its tags in the file of the tokens, leave --tags out", s.format);
  }
  if (s.format != "columns" && (s.token_column != 0 || s.tag_column != 0)) {
    fail(Code::kUsage, "--token-column and --tag-column: only format columns has columns, this is '{}'", s.format);
  }
}

void read_source(const TaggedSources& sources, std::size_t k, Skipped& skipped, TaggedText& text) {
  const std::string& path = sources.tokens[k];
  const std::size_t first = text.sentences.size();
  if (sources.format == "columns") {
    ColumnReader(sources, path, skipped).read(text.sentences);
  } else if (sources.format == "segmented") {
    read_segmented(path, skipped, text.sentences);
  } else {
    read_parallel(path, sources.tags.empty() ? "" : sources.tags[k], skipped, text.sentences);
  }
  if (!sources.labels.empty()) read_labels(sources.labels[k], first, text.sentences);
}

}  // namespace

std::string TaggedSentence::place(std::size_t token) const {
  return fmt::format("{}:{}", path, line + (line_per_token ? static_cast<std::int64_t>(token) : 0));
}

TaggedText read_tagged(const TaggedSources& sources) {
  if (sources.format != "columns" && sources.format != "parallel" && sources.format != "segmented") {
    fail(Code::kUsage, "--format {}: sentences with tags are columns, parallel or segmented", sources.format);
  }
  check_counts(sources);
  TaggedText text;
  Skipped skipped;
  for (std::size_t k = 0; k < sources.tokens.size(); ++k) read_source(sources, k, skipped, text);
  if (!sources.keep_empty) {
    std::erase_if(text.sentences, [](const TaggedSentence& sentence) { return sentence.tokens.empty(); });
  }
  if (text.sentences.empty()) fail(Code::kData, "{}: no sentences in it", fmt::join(sources.tokens, ", "));
  const auto note = [&](std::int64_t count, const char* what) {
    if (count > 0) text.notes.push_back(fmt::format("{} {} passed over", count, what));
  };
  note(skipped.comments, "comment lines (#)");
  note(skipped.documents, "lines -DOCSTART-");
  note(sources.keep_empty ? 0 : skipped.empty, "lines without a token");
  return text;
}

}  // namespace carousel
