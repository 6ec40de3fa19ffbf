package fraudstream.query.operators;

import fraudstream.query.expressions.Expression;
import fraudstream.query.expressions.Expressions;
import fraudstream.query.expressions.Scope;
import fraudstream.query.values.Key;
import fraudstream.query.values.Record;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A join with reference data: each row meets the version of its own time. */
public final class ReferenceJoin implements Stage {
    private final References references;
    private final Join.Condition condition;
    private final boolean outer;
    private final int place;
    private final Scope index;
    private final Stage next;

    /** Without a condition's {@code on}, all rows of the reference match. {@code outer} is a left join. */
    public ReferenceJoin(
        References references, Join.Condition condition, boolean outer, int place, int sources, Stage next
    ) {
        this.references = references;
        this.condition = condition;
        this.outer = outer;
        this.place = place;
        this.next = next;
        index = new Scope(sources);
    }

    @Override
    public void take(Scope scope) {
        long time = scope.time;
        boolean matched = false;
        scope.times[place] = time;
        Expression on = condition.on();
        for (Record row : candidates(scope)) {
            scope.rows[place] = row;
            if (on == null || Expressions.isTrue(on.value(scope))) {
                matched = true;
                next.take(scope);
            }
        }
        if (outer && !matched) {
            scope.rows[place] = null;
            next.take(scope);
        }
    }

    private List<Record> candidates(Scope scope) {
        References.Version version = references.at(scope.time);
        if (condition.left().length == 0) {
            return version.rows;
        }
        Key key = Join.keyOf(condition.left(), scope);
        return key == null ? List.of() : sorted(version).getOrDefault(key, List.of());
    }

    @SuppressWarnings("unchecked")
    private Map<Key, List<Record>> sorted(References.Version version) {
        return (Map<Key, List<Record>>) version.indexes.computeIfAbsent(this, one -> sort(version.rows));
    }

    private Map<Key, List<Record>> sort(List<Record> rows) {
        Map<Key, List<Record>> sorted = new HashMap<>();
        for (Record row : rows) {
            index.rows[place] = row;
            Key key = Join.keyOf(condition.right(), index);
            if (key != null) {
                sorted.computeIfAbsent(key, one -> new ArrayList<>()).add(row);
            }
        }
        return sorted;
    }
}
