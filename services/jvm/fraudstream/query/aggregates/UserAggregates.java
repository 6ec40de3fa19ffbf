package fraudstream.query.aggregates;

import java.util.function.Supplier;

/** The aggregates that a project brings with it: {@code uda.name(…)}. */
public interface UserAggregates {
    /** What makes states of the aggregate. Throws {@code PlanRefused} if there is none of that name. */
    Supplier<State> aggregate(String name);

    /** An aggregate's state over the rows of one group. */
    interface State {
        /** A value, null for NULL, and the time of its row in ticks. */
        void accumulate(Object value, long ticks);

        Object result();

        /** The state as a value of the language, for a restart. */
        default Object save() {
            throw new UnsupportedOperationException("The state of a project's own aggregate cannot be kept.");
        }

        /** Takes over what {@link #save} gave. */
        default void load(Object saved) {
            throw new UnsupportedOperationException("The state of a project's own aggregate cannot be kept.");
        }
    }
}
