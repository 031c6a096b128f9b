using EdgeDm.Mqtt.IoTHub;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeDm.Mqtt.Tests;

public sealed class PropertyBagTests
{
    [Fact]
    public void Encode_SpecialCharacters_ArePercentEncoded() =>
        new PropertyBag { { "$.on", "a b" }, { "k/&=#+%", "ü€😀-_.~" } }
            .Encode()
            .ShouldBe("%24.on=a%20b&k%2F%26%3D%23%2B%25=%C3%BC%E2%82%AC%F0%9F%98%80-_.~");

    [Fact]
    public void Encode_SameAsTheFrameworksEncoder() =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(500),
            Prop.ForAll<NonEmptyString>(text =>
            {
                var value = new string([.. text.Get.Where(c => !char.IsSurrogate(c))]);
                return new PropertyBag { { "k", value } }.Encode() == "k=" + Uri.EscapeDataString(value);
            })
        );

    [Fact]
    public void Decode_WhatWasEncoded_IsTheSameInOrder()
    {
        var sent = new PropertyBag
        {
            { "$.ct", "application/json" },
            { "empty", "" },
            { "x", "a&b=c d+e%/#?" },
        };
        PropertyBag.Decode(sent.Encode()).ToArray().ShouldBe(sent.ToArray());
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("/", "")]
    [InlineData("key", "key=")]
    [InlineData("key=", "key=")]
    [InlineData("a=1&&b=2&", "a=1|b=2")]
    [InlineData("a=1&a=2", "a=1")]
    [InlineData("a=b=c", "a=b=c")]
    [InlineData("a=1+1", "a=1+1")]
    [InlineData("%24.on=out/", "$.on=out")]
    [InlineData("a=%zz%4", "a=%zz%4")]
    public void Decode_WhatPeersSend_IsUnderstood(string text, string expected) =>
        string.Join('|', PropertyBag.Decode(text).Select(p => $"{p.Key}={p.Value}")).ShouldBe(expected);

    [Fact]
    public void Indexer_SetAndRemoved_KeepsTheOthers()
    {
        var bag = new PropertyBag { { "a", "1" }, { "b", "2" } };
        bag["a"] = "3";
        bag["b"] = null;
        bag["c"] = null;
        bag.Encode().ShouldBe("a=3");
        bag["b"].ShouldBeNull();
        bag.Count.ShouldBe(1);
    }
}

public sealed class HubTopicTests
{
    [Theory]
    [InlineData("devices/d/messages/events", "d", null, "")]
    [InlineData("devices/d/messages/events/", "d", null, "")]
    [InlineData("devices/d/modules/m/messages/events/", "d", "m", "")]
    [InlineData("devices/d/modules/m/messages/events/%24.on=o/", "d", "m", "%24.on=o")]
    [InlineData("devices/d%2F/modules/$m/messages/events/%24.on=o&a=b", "d%2F", "$m", "%24.on=o&a=b")]
    [InlineData("devices/modules/messages/events/", "modules", null, "")]
    public void Parse_Telemetry_IsTakenApart(string topic, string device, string? module, string properties)
    {
        var parsed = HubTopic.Parse(topic);
        parsed.Kind.ShouldBe(HubTopicKind.Telemetry);
        (parsed.DeviceId, parsed.ModuleId, parsed.Properties).ShouldBe((device, module, properties));
    }

    [Theory]
    [InlineData("")]
    [InlineData("devices/d")]
    [InlineData("devices//messages/events/")]
    [InlineData("devices/d/modules//messages/events/")]
    [InlineData("devices/d/messages/other/")]
    [InlineData("devices/d/inputs/i/")]
    [InlineData("devices/d/modules/m/inputs")]
    [InlineData("devices/d/modules/m/inputs/")]
    [InlineData("$iothub/twin/PUT/?$rid=1")]
    [InlineData("$iothub/twin/res/ok/?$rid=1")]
    [InlineData("$iothub/methods/POST//?$rid=1")]
    [InlineData("other/topic")]
    public void Parse_NoHubTopic_IsUnknown(string topic) => HubTopic.Parse(topic).Kind.ShouldBe(HubTopicKind.Unknown);

    [Fact]
    public void Input_BuiltAndParsed_IsTheSame()
    {
        var bag = new PropertyBag { { SystemProperties.ConnectionDeviceId, "d" } };
        var parsed = HubTopic.Parse(HubTopics.Input("d", "m", "in", bag));
        parsed.Kind.ShouldBe(HubTopicKind.Input);
        (parsed.DeviceId, parsed.ModuleId, parsed.Name).ShouldBe(("d", "m", "in"));
        PropertyBag.Decode(parsed.Properties)["$.cdid"].ShouldBe("d");
        TopicFilter.Matches(HubTopics.InputsFilter("d", "m"), HubTopics.Input("d", "m", "in", bag)).ShouldBeTrue();
    }

    [Fact]
    public void Parse_DeviceBound_IsTakenApart() =>
        HubTopic.Parse("devices/d/messages/devicebound/%24.to=x").Kind.ShouldBe(HubTopicKind.DeviceBound);

    [Fact]
    public void TwinTopics_BuiltAndParsed_AreTheSame()
    {
        HubTopic.Parse(HubTopics.TwinGet("1a")).ShouldBe(new HubTopic(HubTopicKind.TwinGet) { RequestId = "1a" });
        HubTopic
            .Parse(HubTopics.ReportedPatch("x y"))
            .ShouldBe(new HubTopic(HubTopicKind.ReportedPatch) { RequestId = "x y" });
        HubTopic.Parse(HubTopics.DesiredPatch(12)).ShouldBe(new HubTopic(HubTopicKind.DesiredPatch) { Version = 12 });
        HubTopic
            .Parse(HubTopics.TwinResponse(204, "r"))
            .ShouldBe(new HubTopic(HubTopicKind.TwinResponse) { Status = 204, RequestId = "r" });
        HubTopic
            .Parse(HubTopics.TwinResponse(204, "r", 7))
            .ShouldBe(
                new HubTopic(HubTopicKind.TwinResponse)
                {
                    Status = 204,
                    RequestId = "r",
                    Version = 7,
                }
            );
        HubTopic.Parse("$iothub/twin/GET/").RequestId.ShouldBeEmpty();
    }

    [Fact]
    public void MethodTopics_BuiltAndParsed_AreTheSame()
    {
        HubTopic
            .Parse(HubTopics.MethodRequest("StartRebootCmd", "9"))
            .ShouldBe(new HubTopic(HubTopicKind.MethodRequest) { Name = "StartRebootCmd", RequestId = "9" });
        HubTopic
            .Parse(HubTopics.MethodResponse(200, "9"))
            .ShouldBe(new HubTopic(HubTopicKind.MethodResponse) { Status = 200, RequestId = "9" });
    }
}
