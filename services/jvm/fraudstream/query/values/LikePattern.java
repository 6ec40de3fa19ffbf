package fraudstream.query.values;

import java.util.ArrayList;
import java.util.List;

/** A pattern of LIKE and PATINDEX: {@code %} any text, {@code _} one character, {@code [a-f]} and {@code [^a-f]}. */
public final class LikePattern {
    private final String text;
    private final String escape;
    private final Item[] items;

    /** One character of the pattern: a set of ranges, or any text. */
    private static final class Item {
        final boolean isAnyText;
        final boolean isNegated;
        /** Pairs of first and last; null for every character. */
        final char[] ranges;

        Item(boolean isAnyText, boolean isNegated, char... ranges) {
            this.isAnyText = isAnyText;
            this.isNegated = isNegated;
            this.ranges = ranges;
        }

        boolean matches(char unit) {
            if (ranges == null) {
                return true;
            }
            for (int at = 0; at < ranges.length; at += 2) {
                if (unit >= ranges[at] && unit <= ranges[at + 1]) {
                    return !isNegated;
                }
            }
            return isNegated;
        }
    }

    /** The escape is one character or null. Stops the query where it is longer. */
    public LikePattern(String text, String escape) {
        this.text = text;
        this.escape = escape;
        if (escape != null && escape.length() != 1) {
            throw new QueryStopped("The character of ESCAPE must be one, not '" + Values.beginning(escape) + "'.");
        }
        items = items(text, escape == null ? -1 : escape.charAt(0));
    }

    /** This pattern where it is made of the same texts, else the one that is. */
    public static LikePattern of(LikePattern last, String text, String escape) {
        boolean isSame = last != null && last.text.equals(text)
            && (escape == null ? last.escape == null : escape.equals(last.escape));
        return isSame ? last : new LikePattern(text, escape);
    }

    private static Item[] items(String text, int escape) {
        List<Item> items = new ArrayList<>();
        int at = 0;
        while (at < text.length()) {
            char unit = text.charAt(at++);
            int close = unit == '[' ? close(text, at, escape) : -1;
            if (unit == escape && at < text.length()) {
                char escaped = text.charAt(at++);
                items.add(new Item(false, false, escaped, escaped));
            } else if (unit == '%') {
                items.add(new Item(true, false, (char[]) null));
            } else if (unit == '_') {
                items.add(new Item(false, false, (char[]) null));
            } else if (close >= 0) {
                items.add(set(text, at, close, escape));
                at = close + 1;
            } else {
                items.add(new Item(false, false, unit, unit));
            }
        }
        return items.toArray(new Item[0]);
    }

    /** Where the set ends; -1 for a bracket that stands for itself. */
    private static int close(String text, int from, int escape) {
        int first = from < text.length() && text.charAt(from) == '^' ? from + 1 : from;
        for (int at = first; at < text.length(); at++) {
            if (text.charAt(at) == escape) {
                at++;
            } else if (text.charAt(at) == ']' && at > first) {
                return at;
            }
        }
        return -1;
    }

    private static Item set(String text, int from, int until, int escape) {
        boolean isNegated = text.charAt(from) == '^';
        StringBuilder ranges = new StringBuilder();
        int at = isNegated ? from + 1 : from;
        while (at < until) {
            if (text.charAt(at) == escape && at + 1 < until) {
                at++;
            }
            char first = text.charAt(at++);
            char last = first;
            if (at + 1 < until && text.charAt(at) == '-') {
                last = text.charAt(at + 1);
                at += 2;
            }
            ranges.append(first).append(last);
        }
        return new Item(false, isNegated, ranges.toString().toCharArray());
    }

    /** Whether the whole text fits. */
    public boolean matches(String value) {
        return matches(value, 0, 0);
    }

    /** The place, from 1, where the part of the text begins that the pattern without a leading % fits; 0 for none. */
    public int find(String value) {
        boolean isFree = items.length > 0 && items[0].isAnyText;
        if (!isFree) {
            return matches(value, 0, 0) ? 1 : 0;
        }
        int free = 1;
        while (free < items.length && !items[free].isAnyText) {
            free++;
        }
        for (int at = 0; at <= value.length(); at++) {
            // Where the part before the next % fits and the rest does not, it fits nowhere later, in less text.
            if (fits(value, at, free)) {
                // An empty part is found at the first character, even of an empty text.
                if (matches(value, at, 1)) {
                    return at + 1;
                }
                if (free < items.length) {
                    return 0;
                }
            }
        }
        return 0;
    }

    /** Whether the characters from a place on fit the pattern's items after the first, up to {@code until}. */
    private boolean fits(String value, int from, int until) {
        for (int item = 1; item < until; item++) {
            int at = from + item - 1;
            if (at >= value.length() || !items[item].matches(value.charAt(at))) {
                return false;
            }
        }
        return true;
    }

    private boolean matches(String value, int from, int first) {
        int at = from;
        int item = first;
        int lastFree = -1;
        int retry = 0;
        while (at < value.length()) {
            if (item < items.length && items[item].isAnyText) {
                lastFree = item++;
                retry = at;
            } else if (item < items.length && items[item].matches(value.charAt(at))) {
                item++;
                at++;
            } else if (lastFree >= 0) {
                item = lastFree + 1;
                at = ++retry;
            } else {
                return false;
            }
        }
        while (item < items.length && items[item].isAnyText) {
            item++;
        }
        return item == items.length;
    }
}
