#include "cells/cell_program.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>

#include "base/fail.h"

namespace carousel {
namespace {

using Kind = CellProgram::Kind;

constexpr std::size_t kLongestProgram = 500;

std::optional<Kind> activation_of(std::string_view name) {
  if (name == "sigmoid") return Kind::kSigmoid;
  if (name == "tanh") return Kind::kTanh;
  if (name == "relu") return Kind::kRelu;
  if (name == "identity") return Kind::kIdentity;
  return std::nullopt;
}

// Recursive descent; every function begins at a word or sign that it has not taken yet.
class ProgramParser {
 public:
  explicit ProgramParser(std::string_view text) : text_(text) {}

  CellProgram parse() {
    if (text_.size() > kLongestProgram) {
      fail(Code::kUsage, "cell '{}...': {} characters, expected at most {}", kExpressionPrefix, text_.size(),
           kLongestProgram);
    }
    do {
      if (at_end()) break;
      statement();
    } while (take(';'));
    if (!at_end()) stop("';' or the end");
    if (program_.next[0] < 0) stop("a statement h=...");
    program_.states = program_.next[1] < 0 ? 1 : 2;
    if (reads_c_ >= 0 && program_.states == 1)
      stop("no c, for there is no statement c=...", static_cast<std::size_t>(reads_c_));
    if (program_.gates == 0) stop("a statement g0=..., or nothing of x is seen");
    return std::move(program_);
  }

 private:
  void statement() {
    const std::size_t begin = at_;
    const std::string_view name = word();
    if (name == "h" || name == "c") {
      const int state = name == "c" ? 1 : 0;
      if (program_.next[state] >= 0) stop(fmt::format("one statement {}=...", name), begin);
      need('=');
      program_.next[state] = current_[state] = sum();
    } else if (is_gate(name)) {
      const int gate = name[1] - '0';
      if (gate != program_.gates || gate >= CellProgram::kMaxGates) {
        const bool more = program_.gates < CellProgram::kMaxGates;
        stop(more ? fmt::format("g{}=..., h=... or c=...", program_.gates) : "h=... or c=...", begin);
      }
      need('=');
      gate_statement(gate);
    } else {
      stop("a statement gK=..., h=... or c=...", begin);
    }
  }

  void gate_statement(int gate) {
    CellProgram::Operation operation{.kind = Kind::kGate, .a = gate};
    const std::size_t begin = at_;
    const std::optional<Kind> activation = activation_of(word());
    if (!activation) stop("sigmoid, tanh, relu or identity", begin);
    operation.activation = *activation;
    if (take('(')) {
      need_word("x");
      need('+');
      operation.b = factor_of_r();
      need(')');
    }
    program_.split = program_.split || operation.b >= 0;
    gates_[gate] = add(operation);
    ++program_.gates;
  }

  // "r", or "F * r".
  int factor_of_r() {
    int factor = -1;
    while (!take_word("r")) {
      const int next = atom();
      factor = factor < 0 ? next : binary(Kind::kMultiply, factor, next);
      need('*');
    }
    return factor;
  }

  int sum() {
    int value = product();
    while (true) {
      if (take('+')) {
        value = binary(Kind::kAdd, value, product());
      } else if (take('-')) {
        value = binary(Kind::kSubtract, value, product());
      } else {
        return value;
      }
    }
  }

  int product() {
    int value = atom();
    while (take('*')) value = binary(Kind::kMultiply, value, atom());
    return value;
  }

  int atom() {
    if (take('(')) return bracket();
    const std::size_t begin = at_;
    if (at_ < text_.size() && (std::isdigit(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '.')) {
      return number();
    }
    const std::string_view name = word();
    if (name == "h") return current_[0];
    if (name == "c") {
      if (reads_c_ < 0) reads_c_ = static_cast<std::int64_t>(begin);
      return current_[1];
    }
    if (is_gate(name) && name[1] - '0' < program_.gates) return gates_[name[1] - '0'];
    const std::optional<Kind> function = activation_of(name);
    if (!function || *function == Kind::kIdentity) {
      stop("a number, a gate that was given before, h, c, '(', sigmoid, tanh or relu", begin);
    }
    need('(');
    return add({.kind = *function, .a = bracket()});
  }

  int bracket() {
    const int value = sum();
    need(')');
    return value;
  }

  int number() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && (std::isdigit(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '.'))
      ++at_;
    float value = 0;
    const char* end = text_.data() + at_;
    const auto [rest, error] = std::from_chars(text_.data() + begin, end, value, std::chars_format::fixed);
    if (error != std::errc() || rest != end) stop("a number", begin);
    skip_blanks();
    return add({.kind = Kind::kNumber, .number = value});
  }

  int binary(Kind kind, int a, int b) {
    if (kind == Kind::kMultiply) note_forget_gate(a, b), note_forget_gate(b, a);
    return add({.kind = kind, .a = a, .b = b});
  }

  void note_forget_gate(int a, int b) {
    if (a < 2 || b != 1) return;
    const CellProgram::Operation& operation = program_.operations[static_cast<std::size_t>(a - 2)];
    if (operation.kind == Kind::kGate && operation.activation == Kind::kSigmoid) {
      program_.forget_gates |= 1u << operation.a;
    }
  }

  int add(const CellProgram::Operation& operation) {
    if (std::ssize(program_.operations) == CellProgram::kMaxOperations) {
      stop(fmt::format("at most {} operations", CellProgram::kMaxOperations));
    }
    program_.operations.push_back(operation);
    return static_cast<int>(program_.operations.size()) + 1;
  }

  static bool is_gate(std::string_view name) {
    return name.size() == 2 && name[0] == 'g' && name[1] >= '0' && name[1] <= '9';
  }

  void skip_blanks() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool at_end() {
    skip_blanks();
    return at_ == text_.size();
  }
  bool take(char sign) {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != sign) return false;
    ++at_;
    skip_blanks();
    return true;
  }
  void need(char sign) {
    if (!take(sign)) stop(fmt::format("'{}'", sign));
  }
  // Letters and digits; empty if none stand here.
  std::string_view word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && std::isalnum(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    const std::string_view found = text_.substr(begin, at_ - begin);
    skip_blanks();
    return found;
  }
  bool take_word(std::string_view expected) {
    const std::size_t begin = at_;
    if (word() == expected) return true;
    at_ = begin;
    return false;
  }
  void need_word(std::string_view expected) {
    if (!take_word(expected)) stop(fmt::format("'{}'", expected));
  }

  [[noreturn]] void stop(const std::string& expected) const { stop(expected, at_); }
  [[noreturn]] void stop(const std::string& expected, std::size_t at) const {
    constexpr std::size_t kShown = 12;
    std::string shown(text_.substr(0, kLongestProgram));
    for (char& c : shown) c = std::isprint(static_cast<unsigned char>(c)) != 0 ? c : '?';
    const std::string got = at < shown.size() ? fmt::format("'{}'", shown.substr(at, kShown)) : "the end";
    fail(Code::kUsage, "cell '{}{}': at character {}: expected {}, got {}", kExpressionPrefix, shown, at + 1, expected,
         got);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::int64_t reads_c_ = -1;  // where c is read first
  int current_[2] = {0, 1};    // registers of h and c
  int gates_[CellProgram::kMaxGates] = {};
  CellProgram program_;
};

}  // namespace

CellProgram parse_cell_program(std::string_view text) { return ProgramParser(text).parse(); }

}  // namespace carousel
