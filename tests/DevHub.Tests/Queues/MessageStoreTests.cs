using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Queues;
using EdgeDm.DevHub.Tests.Routing;
using EdgeDm.Testing;

namespace EdgeDm.DevHub.Tests.Queues;

public sealed class MessageStoreTests : IDisposable
{
    private static readonly HubIdentity Receiver = new("gateway", "b");
    private static readonly QueueName Queue = new(Receiver, "i");

    private readonly FakeTimeProvider time = new();
    private readonly MessageStore store;

    public MessageStoreTests() => store = new(10_000, journal: null, time);

    [Fact]
    public async Task Peek_OneInput_GoesByPriorityThenByArrival()
    {
        foreach (var (text, priority) in new[] { ("1", 5u), ("2", 0u), ("3", 5u), ("4", 0u) })
        {
            await store.EnqueueAsync(Queue, TestMessages.Of(text), priority, null, default);
        }
        Drain().ShouldBe("2413");
    }

    [Fact]
    public async Task Peek_NotCompleted_IsGivenAgain()
    {
        await store.EnqueueAsync(Queue, TestMessages.Of("1"), 0, null, default);
        var first = store.Peek(Receiver)!;
        store.Peek(Receiver).ShouldBeSameAs(first);
        store.Complete(first);
        store.Complete(first);
        store.Waiting().ShouldBeEmpty();
    }

    [Fact]
    public async Task Enqueue_QueueFull_RefusesUntilSomethingLeaves()
    {
        var big = TestMessages.Of(new string('x', 4000));
        await store.EnqueueAsync(Queue, big, 0, null, default);
        await store.EnqueueAsync(Queue, big, 0, TimeSpan.FromSeconds(1), default);
        var full = await Should.ThrowAsync<HubException>(store.EnqueueAsync(Queue, big, 0, null, default).AsTask());
        full.Error.ShouldBe(HubError.IotHubQuotaExceeded);
        // Another input has room of its own.
        await store.EnqueueAsync(new(Receiver, "j"), big, 0, null, default);
        // What has expired makes room, even behind what has not.
        time.Advance(TimeSpan.FromSeconds(1));
        await store.EnqueueAsync(Queue, big, 0, null, default);
        await Should.ThrowAsync<HubException>(store.EnqueueAsync(Queue, big, 0, null, default).AsTask());
        store.Complete(store.Peek(Receiver)!);
        await store.EnqueueAsync(Queue, big, 0, null, default);
    }

    [Fact]
    public async Task Enqueue_StoreLimit_IsLookedAtBeforeAMessageIsAdded()
    {
        var message = TestMessages.Of(new string('x', 1000));
        store.StoreLimit = 2 * message.Size;
        await store.EnqueueAsync(Queue, message, 0, null, default);
        await store.EnqueueAsync(new(Receiver, "j"), message, 0, TimeSpan.FromSeconds(1), default);
        // As much as there may be, not more: one is taken, at whichever input.
        await store.EnqueueAsync(new(new("gateway", "c"), "i"), message, 0, null, default);
        var full = await Should.ThrowAsync<HubException>(store.EnqueueAsync(Queue, message, 0, null, default).AsTask());
        full.Error.ShouldBe(HubError.IotHubQuotaExceeded);
        full.Message.ShouldContain("storeLimits.maxSizeBytes");
        // What comes from the cloud is not the deployment's.
        await store.EnqueueAsync(new(new("gateway"), null), message, 0, null, default);

        time.Advance(TimeSpan.FromSeconds(1));
        await store.EnqueueAsync(Queue, message, 0, null, default);
        await Should.ThrowAsync<HubException>(store.EnqueueAsync(Queue, message, 0, null, default).AsTask());
        store.Complete(store.Peek(Receiver)!);
        await store.EnqueueAsync(Queue, message, 0, null, default);
        await Should.ThrowAsync<HubException>(store.EnqueueAsync(Queue, message, 0, null, default).AsTask());
        store.StoreLimit = null;
        await store.EnqueueAsync(Queue, message, 0, null, default);
    }

    [Fact]
    public async Task Listen_HearsOfTheReceiversOwnMessagesOnly()
    {
        var heard = 0;
        store.Listen(Receiver, () => heard++);
        await store.EnqueueAsync(new(new("gateway", "c"), "i"), TestMessages.Of("1"), 0, null, default);
        await store.EnqueueAsync(new(new("other", "b"), "i"), TestMessages.Of("2"), 0, null, default);
        heard.ShouldBe(0);
        await store.EnqueueAsync(Queue, TestMessages.Of("3"), 0, null, default);
        heard.ShouldBe(1);
        store.Listen(Receiver, null);
        await store.EnqueueAsync(Queue, TestMessages.Of("4"), 0, null, default);
        heard.ShouldBe(1);
        Drain().ShouldBe("34");
    }

    [Fact]
    public async Task Purge_ForgetsOneQueueAndCounts()
    {
        await store.EnqueueAsync(Queue, TestMessages.Of("1"), 0, null, default);
        await store.EnqueueAsync(Queue, TestMessages.Of("2"), 7, null, default);
        await store.EnqueueAsync(new(Receiver, "j"), TestMessages.Of("3"), 0, null, default);
        store.Purge(Queue).ShouldBe(2);
        store.Purge(Queue).ShouldBe(0);
        Drain().ShouldBe("3");
    }

    public void Dispose() => store.Dispose();

    private string Drain()
    {
        var text = "";
        while (store.Peek(Receiver) is { } next)
        {
            text += TestMessages.TextOf(next.Message);
            store.Complete(next);
        }
        return text;
    }
}
