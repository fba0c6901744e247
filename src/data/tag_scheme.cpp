#include "data/tag_scheme.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/fail.h"

namespace carousel {
namespace {

enum class Role { kOutside, kBegin, kInside, kEnd, kSingle };

struct Parts {
  Role role = Role::kOutside;
  std::string_view type;
};

std::optional<Role> role_of(std::string_view prefix) {
  if (prefix.size() != 1) return std::nullopt;
  switch (prefix[0]) {
    case 'B':
      return Role::kBegin;
    case 'I':
    case 'M':
      return Role::kInside;
    case 'E':
    case 'L':
      return Role::kEnd;
    case 'S':
    case 'U':
    case 'W':
      return Role::kSingle;
    default:
      return std::nullopt;
  }
}

// What is no tag of a span counts as outside.
Parts parts_of(std::string_view tag) {
  const std::size_t dash = std::min(tag.find('-'), tag.size());
  const std::optional<Role> role = role_of(tag.substr(0, dash));
  if (!role) return {};
  return {*role, dash == tag.size() ? std::string_view() : tag.substr(dash + 1)};
}

bool begins(const Parts& previous, const Parts& tag) {
  if (tag.role == Role::kOutside) return false;
  return tag.role == Role::kBegin || tag.role == Role::kSingle || previous.role == Role::kOutside ||
         previous.role == Role::kEnd || previous.role == Role::kSingle || previous.type != tag.type;
}

bool ends(const Parts& tag, const Parts& next) {
  if (tag.role == Role::kOutside) return false;
  return tag.role == Role::kEnd || tag.role == Role::kSingle || next.role == Role::kOutside ||
         next.role == Role::kBegin || next.role == Role::kSingle || next.type != tag.type;
}

// The start and the end of a sentence count as outside.
bool may_follow(TagScheme scheme, const Parts& previous, const Parts& tag) {
  const bool same = previous.type == tag.type;
  const bool open = previous.role == Role::kBegin || previous.role == Role::kInside;
  if (scheme == TagScheme::kBio) {
    return tag.role == Role::kOutside || tag.role == Role::kBegin || (tag.role == Role::kInside && open && same);
  }
  if (scheme == TagScheme::kBioes) {
    const bool goes_on = tag.role == Role::kInside || tag.role == Role::kEnd;
    return open ? goes_on && same : !goes_on;
  }
  return true;
}

constexpr std::array<std::pair<std::string_view, TagScheme>, 4> kSchemes = {
    {{"plain", TagScheme::kPlain}, {"iob1", TagScheme::kIob1}, {"bio", TagScheme::kBio}, {"bioes", TagScheme::kBioes}}};

}  // namespace

std::vector<TagSpan> find_spans(std::span<const std::string> tags) {
  std::vector<TagSpan> spans;
  Parts previous;
  TagSpan span;
  for (std::size_t t = 0; t < tags.size(); ++t) {
    const Parts tag = parts_of(tags[t]), next = t + 1 < tags.size() ? parts_of(tags[t + 1]) : Parts();
    if (begins(previous, tag)) span = {static_cast<std::int64_t>(t), 0, tag.type};
    if (ends(tag, next)) {
      span.end = static_cast<std::int64_t>(t + 1);
      spans.push_back(span);
    }
    previous = tag;
  }
  return spans;
}

bool tags_have_spans(std::span<const std::string> names) {
  return std::all_of(names.begin(), names.end(),
                     [](const std::string& name) { return name == "O" || parts_of(name).role != Role::kOutside; });
}

std::string_view scheme_name(TagScheme scheme) {
  const auto* found = std::find_if(kSchemes.begin(), kSchemes.end(), [&](const auto& s) { return s.second == scheme; });
  return found->first;
}

TagScheme parse_scheme(std::string_view name) {
  for (const auto& [known, scheme] : kSchemes) {
    if (known == name) return scheme;
  }
  fail(Code::kModel, "the scheme of tags '{}' is unknown: the model may come from a newer version", name);
}

namespace {

// tag_rules() allow everything in iob1; as it is written, B stands only directly behind one of its type.
bool is_written_in(TagScheme scheme, std::span<const std::string> tags) {
  if (scheme != TagScheme::kIob1) return find_invalid(tags, scheme) < 0;
  Parts previous;
  for (const std::string& name : tags) {
    const Parts tag = parts_of(name);
    if (tag.role == Role::kBegin && (previous.role == Role::kOutside || previous.type != tag.type)) return false;
    previous = tag;
  }
  return true;
}

}  // namespace

TagScheme recognise_scheme(std::span<const std::string> names, std::span<const std::vector<std::string>> sentences) {
  if (!tags_have_spans(names)) return TagScheme::kPlain;
  const bool spans_end = std::any_of(names.begin(), names.end(), [](const std::string& name) {
    const Role role = parts_of(name).role;
    return role == Role::kEnd || role == Role::kSingle;
  });
  TagScheme best = spans_end ? TagScheme::kBioes : TagScheme::kBio;
  const auto fitting = [&](TagScheme scheme) {
    return std::count_if(sentences.begin(), sentences.end(),
                         [&](const std::vector<std::string>& tags) { return is_written_in(scheme, tags); });
  };
  std::int64_t most = fitting(best);
  for (const TagScheme scheme : {TagScheme::kBio, TagScheme::kIob1}) {
    const std::int64_t count = fitting(scheme);
    if (count <= most) continue;
    best = scheme;
    most = count;
  }
  return best;
}

TagRules tag_rules(std::span<const std::string> names, TagScheme scheme) {
  TagRules rules;
  const Parts outside;
  for (const std::string& name : names) {
    const Parts tag = parts_of(name);
    rules.start.push_back(may_follow(scheme, outside, tag));
    rules.end.push_back(may_follow(scheme, tag, outside));
    for (const std::string& next : names) rules.transitions.push_back(may_follow(scheme, tag, parts_of(next)));
  }
  return rules;
}

std::int64_t find_invalid(std::span<const std::string> tags, TagScheme scheme) {
  Parts previous;
  for (std::size_t t = 0; t < tags.size(); ++t) {
    const Parts tag = parts_of(tags[t]);
    if (!may_follow(scheme, previous, tag)) return static_cast<std::int64_t>(t);
    previous = tag;
  }
  return may_follow(scheme, previous, Parts()) ? -1 : std::ssize(tags);
}

}  // namespace carousel
