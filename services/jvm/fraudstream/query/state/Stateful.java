package fraudstream.query.state;

/** What has a state that outlives a restart. It is written between two moments of the query. */
public interface Stateful {
    void save(StateWriter to);

    /** Takes the state over that another one, made from the same plan, has saved. */
    void load(StateReader from);
}
