package fraudstream.query.job;

import fraudstream.contract.Contract;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;

/** The names of the contract's fields: the event's own, and the paths with dots of those inside objects. */
final class Fields {
    /** Those of the contract in force. */
    static final Fields CURRENT = new Fields(Contract.CURRENT);

    private final Set<String> outer = new HashSet<>();
    private final Set<String> paths = new HashSet<>();
    private final Set<String> folded = new HashSet<>();

    Fields(Contract contract) {
        outer.addAll(contract.outerNames());
        paths.addAll(contract.innerPaths());
        outer.forEach(name -> folded.add(folded(name)));
        paths.forEach(path -> folded.add(folded(path)));
    }

    private static String folded(String name) {
        return name.toLowerCase(Locale.ROOT);
    }

    /** Whether the contract has an outer field of this name. */
    boolean isOuter(String name) {
        return outer.contains(name);
    }

    /** Whether the contract has a field of this path, an outer one's name included; null is no field's. */
    boolean isKnown(String path) {
        return path != null && (outer.contains(path) || paths.contains(path));
    }

    /** Whether an unknown outer field would stand in a known one's place, as the language takes no notice of case. */
    boolean isShadowed(String name) {
        return !outer.contains(name) && folded.contains(folded(name));
    }
}
