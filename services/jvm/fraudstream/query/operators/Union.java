package fraudstream.query.operators;

import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import fraudstream.query.values.Record;
import java.util.List;

/** The rows of several steps; those of one moment in the order of the steps. */
public final class Union extends Node<Record> {
    private final List<Feed<Record>> feeds;

    public Union(List<Feed<Record>> feeds, long skew) {
        super(skew);
        this.feeds = feeds;
    }

    @Override
    public void run(long moment) {
        for (Feed<Record> feed : feeds) {
            rows.addAll(feed.take(moment));
        }
    }

    @Override
    public long next() {
        long next = NEVER;
        for (Feed<Record> feed : feeds) {
            next = Math.min(next, feed.next());
        }
        return next;
    }

    @Override
    public void save(StateWriter to) {
        feeds.forEach(feed -> feed.save(to));
    }

    @Override
    public void load(StateReader from) {
        feeds.forEach(feed -> feed.load(from));
    }
}
