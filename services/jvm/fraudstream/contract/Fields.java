package fraudstream.contract;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The known fields of an object, in the contract's order. A field's place among them is its position. */
final class Fields {
    final Field[] all;
    final Names keys;
    /** Each name as JSON with a colon behind it; null for one that JSON may write in other ways only. */
    final byte[][] quoted;
    private final Map<String, Integer> positions = new HashMap<>();

    Fields(JsonNode rules, List<Field> slots) {
        all = new Field[rules.size()];
        quoted = new byte[all.length][];
        List<String> listed = new ArrayList<>();
        for (int position = 0; position < all.length; position++) {
            all[position] = new Field(rules.get(position), slots);
            listed.add(all[position].key);
            positions.put(all[position].key, position);
            quoted[position] = quoted(all[position].key);
        }
        keys = new Names(listed);
    }

    private static byte[] quoted(String key) {
        boolean isPlain = key.chars().allMatch(unit -> unit >= ' ' && unit <= '~' && unit != '"' && unit != '\\');
        return isPlain ? Contract.ascii('"' + key + "\":") : null;
    }

    /** The position of a field by its name in this object; -1 for a name that the contract does not have. */
    int position(String key) {
        Integer found = positions.get(key);
        return found == null ? -1 : found;
    }
}
