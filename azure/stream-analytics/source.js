// Where an event came from, as one record: the language has no constructor of records.
function main(partition, offset, enqueuedAt) {
    return {
        topic: 'transactions',
        partition: Number(partition),
        offset: Number(offset),
        enqueued_at: enqueuedAt
    };
}
