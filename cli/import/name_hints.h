// What the name of a column says about where it refers to, given the names of the tables at hand.
// Only a hint: a column becomes a reference when its values bear it out (import_plan.h).
//
//   ArtistId, artist, artist_ref        table Artist (or artists): named after it
//   BillingCustomerId                   table Customer: the last words name it
//   ReportsTo, parent_id                the own table: words of a hierarchy
//   SupportRepId, author, assigned_to   a table of people: words for what people do
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace trefoil::cli {

// "SupportRepId", "support_rep_id": support, rep, id.
std::vector<std::string> WordsOf(std::string_view name);

// The tables that the column's name hints at, likeliest first. `own`: the column's own table, one
// of `tables`.
std::vector<std::string> HintedTables(std::string_view column, std::string_view own,
                                      std::span<const std::string> tables);

// `id`, `key`, `uuid`, `track_id` or `TrackId` for a table Track.
bool LooksLikeKeyOf(std::string_view column, std::string_view table);

// Ends in "id", and is more than that.
bool EndsLikeReference(std::string_view column);

std::string Lower(std::string_view text);

}  // namespace trefoil::cli
