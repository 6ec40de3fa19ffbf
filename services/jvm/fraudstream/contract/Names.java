package fraudstream.contract;

import java.nio.charset.StandardCharsets;
import java.util.List;

/** A list of texts that are looked up by their bytes in UTF-8, without a copy of them. */
final class Names {
    // So few are compared one by one.
    private static final int FEW = 8;

    private final byte[][] texts;
    // Places among the texts, by hash, each one more than it is; empty where there are few.
    private final int[] table;

    Names(List<String> listed) {
        texts = new byte[listed.size()][];
        int size = 0;
        if (listed.size() > FEW) {
            size = 4 * Integer.highestOneBit(listed.size());
        }
        table = new int[size];
        for (int place = 0; place < texts.length; place++) {
            texts[place] = listed.get(place).getBytes(StandardCharsets.UTF_8);
            if (size > 0) {
                int slot = hash(texts[place], 0, texts[place].length) & size - 1;
                while (table[slot] != 0) {
                    slot = slot + 1 & size - 1;
                }
                table[slot] = place + 1;
            }
        }
    }

    int count() {
        return texts.length;
    }

    /** Whether the text at a place stands between {@code from} and {@code until}. */
    boolean is(int place, byte[] value, int from, int until) {
        byte[] text = texts[place];
        if (until - from != text.length) {
            return false;
        }
        // They are short: for them this is faster than the comparison of ranges that Java has.
        for (int at = 0; at < text.length; at++) {
            if (value[from + at] != text[at]) {
                return false;
            }
        }
        return true;
    }

    /** The place of what stands between {@code from} and {@code until}; -1 where it is none of the texts. */
    int find(byte[] value, int from, int until) {
        if (table.length == 0) {
            for (int place = 0; place < texts.length; place++) {
                if (is(place, value, from, until)) {
                    return place;
                }
            }
            return -1;
        }
        int mask = table.length - 1;
        for (int slot = hash(value, from, until) & mask; table[slot] != 0; slot = slot + 1 & mask) {
            if (is(table[slot] - 1, value, from, until)) {
                return table[slot] - 1;
            }
        }
        return -1;
    }

    private static int hash(byte[] value, int from, int until) {
        int hash = 0;
        for (int at = from; at < until; at++) {
            hash = 31 * hash + value[at];
        }
        return hash ^ hash >>> 15;
    }
}
