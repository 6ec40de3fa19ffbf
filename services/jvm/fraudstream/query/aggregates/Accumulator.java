package fraudstream.query.aggregates;

import fraudstream.query.state.Stateful;

/** An aggregate's state over the samples of one group. */
public interface Accumulator extends Stateful {
    /** A sample, never null. */
    void add(Object sample);

    /**
     * Takes the oldest sample away. Answers false if the state does not tell what is left; it then has to be built
     * anew.
     */
    boolean remove(Object sample);

    /** Adds the samples of another state of the same aggregate, which stays as it is and came later. */
    void merge(Accumulator later);

    /** The value over all samples; null for NULL. */
    Object result();
}
