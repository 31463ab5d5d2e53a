// Do keys and policies of a car keep strangers out? With Fast DDS itself, without ROS.
//
// It takes a keystore made of config/security/policy.xml, a keystore of somebody else, and the domain of the
// policies; SECURITY.md has the commands. For each case a writer and a reader join, as processes of ROS would.
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

#include <fastdds/dds/domain/DomainParticipant.hpp>
#include <fastdds/dds/domain/DomainParticipantFactory.hpp>
#include <fastdds/dds/publisher/DataWriter.hpp>
#include <fastdds/dds/publisher/Publisher.hpp>
#include <fastdds/dds/subscriber/DataReader.hpp>
#include <fastdds/dds/subscriber/SampleInfo.hpp>
#include <fastdds/dds/subscriber/Subscriber.hpp>
#include <fastdds/rtps/transport/UDPv4TransportDescriptor.h>
#include <fastrtps/types/DynamicDataFactory.h>
#include <fastrtps/types/DynamicPubSubType.h>
#include <fastrtps/types/DynamicTypeBuilderFactory.h>
#include <fastrtps/types/DynamicTypeBuilderPtr.h>

using namespace eprosima::fastdds::dds;
using namespace eprosima::fastrtps::types;

namespace {

constexpr auto WAIT = std::chrono::milliseconds(1500);  // for handshakes of all participants

// A participant with the keys of an enclave; without any where the folder is empty. Null if it is refused.
DomainParticipant * join(const std::string & enclave, int domain)
{
  DomainParticipantQos qos;
  auto udp = std::make_shared<eprosima::fastdds::rtps::UDPv4TransportDescriptor>();
  udp->interfaceWhiteList.push_back("127.0.0.1");  // nothing leaves this machine
  qos.transport().use_builtin_transports = false;
  qos.transport().user_transports.push_back(udp);
  if (!enclave.empty()) {
    const std::string at = "file://" + enclave + "/";
    const std::string auth = "dds.sec.auth.builtin.PKI-DH.";
    const std::string access = "dds.sec.access.builtin.Access-Permissions.";
    auto & properties = qos.properties().properties();
    properties.emplace_back("dds.sec.auth.plugin", "builtin.PKI-DH");
    properties.emplace_back(auth + "identity_ca", at + "identity_ca.cert.pem");
    properties.emplace_back(auth + "identity_certificate", at + "cert.pem");
    properties.emplace_back(auth + "private_key", at + "key.pem");
    properties.emplace_back("dds.sec.crypto.plugin", "builtin.AES-GCM-GMAC");
    properties.emplace_back("dds.sec.access.plugin", "builtin.Access-Permissions");
    properties.emplace_back(access + "permissions_ca", at + "permissions_ca.cert.pem");
    properties.emplace_back(access + "governance", at + "governance.p7s");
    properties.emplace_back(access + "permissions", at + "permissions.p7s");
  }
  return DomainParticipantFactory::get_instance()->create_participant(domain, qos);
}

TypeSupport number_type()
{
  auto factory = DynamicTypeBuilderFactory::get_instance();
  DynamicTypeBuilder_ptr builder = factory->create_struct_builder();
  builder->add_member(0, "value", factory->create_uint32_type());
  builder->set_name("Number");
  return TypeSupport(new DynamicPubSubType(builder->build()));
}

// Result of a writer and a reader on a topic: what arrives, or who is refused.
std::string outcome(
  const std::string & writing, const std::string & reading, const std::string & name, int domain)
{
  const TypeSupport type = number_type();
  std::string found = "nothing arrives";
  auto * sender = join(writing, domain);
  auto * receiver = join(reading, domain);
  if (sender == nullptr || receiver == nullptr) {
    found = "a participant is refused";
  } else {
    type.register_type(sender);
    type.register_type(receiver);
    auto * writer = sender->create_publisher(PUBLISHER_QOS_DEFAULT)->create_datawriter(
      sender->create_topic(name, "Number", TOPIC_QOS_DEFAULT), DATAWRITER_QOS_DEFAULT);
    auto * reader = receiver->create_subscriber(SUBSCRIBER_QOS_DEFAULT)->create_datareader(
      receiver->create_topic(name, "Number", TOPIC_QOS_DEFAULT), DATAREADER_QOS_DEFAULT);
    if (writer == nullptr) {
      found = "the writer is refused";
    } else if (reader == nullptr) {
      found = "the reader is refused";
    } else {
      DynamicData * data = DynamicDataFactory::get_instance()->create_data(
        static_cast<DynamicPubSubType *>(type.get())->GetDynamicType());
      DynamicData * taken = DynamicDataFactory::get_instance()->create_data(
        static_cast<DynamicPubSubType *>(type.get())->GetDynamicType());
      const auto end = std::chrono::steady_clock::now() + WAIT;
      while (found == "nothing arrives" && std::chrono::steady_clock::now() < end) {
        writer->write(data);
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        SampleInfo info;
        if (reader->take_next_sample(taken, &info) == ReturnCode_t::RETCODE_OK) {
          found = "it arrives";
        }
      }
      DynamicDataFactory::get_instance()->delete_data(data);
      DynamicDataFactory::get_instance()->delete_data(taken);
    }
  }
  for (auto * participant : {sender, receiver}) {
    if (participant != nullptr) {
      participant->delete_contained_entities();
      DomainParticipantFactory::get_instance()->delete_participant(participant);
    }
  }
  return found;
}

}  // namespace

int main(int argc, char ** argv)
{
  if (argc != 4) {
    std::cerr << "usage: dds_security KEYSTORE KEYSTORE_OF_SOMEBODY_ELSE DOMAIN\n";
    return 2;
  }
  const std::string own = std::string(argv[1]) + "/enclaves", other = std::string(argv[2]) + "/enclaves";
  const int domain = std::stoi(argv[3]);
  const struct { std::string what, writing, reading, topic, expected; } cases[] = {
    {"the LiDAR node publishes segmentation", own + "/conegrad/lidar_node", own + "/conegrad/fusion_node",
      "rt/segmentation", "it arrives"},
    {"the camera driver publishes images", own + "/drivers/camera", own + "/conegrad/perception",
      "rt/image_raw", "it arrives"},
    {"the operator changes a state", own + "/operator", own + "/conegrad/perception",
      "rq/camera_node/change_stateRequest", "it arrives"},
    {"the planner reads cones", own + "/conegrad/perception", own + "/planner", "rt/cones", "it arrives"},
    {"the planner forges segmentation", own + "/planner", own + "/conegrad/fusion_node", "rt/segmentation",
      "the writer is refused"},
    {"the camera driver forges cones", own + "/drivers/camera", own + "/planner", "rt/cones",
      "the writer is refused"},
    {"the planner changes a state", own + "/planner", own + "/conegrad/perception",
      "rq/camera_node/change_stateRequest", "the writer is refused"},
    {"the planner reads images", own + "/drivers/camera", own + "/planner", "rt/image_raw",
      "the reader is refused"},
    {"somebody without keys forges segmentation", "", own + "/conegrad/fusion_node", "rt/segmentation",
      "nothing arrives"},
    {"somebody without keys reads images", own + "/drivers/camera", "", "rt/image_raw", "nothing arrives"},
    {"somebody with other keys forges segmentation", other + "/conegrad/lidar_node",
      own + "/conegrad/fusion_node", "rt/segmentation", "nothing arrives"},
    {"nobody has keys (to compare)", "", "", "rt/segmentation", "it arrives"},
  };
  int failed = 0;
  for (const auto & one : cases) {
    const std::string found = outcome(one.writing, one.reading, one.topic, domain);
    std::cout << (found == one.expected ? "ok    " : "WRONG ") << one.what << ": " << found << std::endl;
    failed += found != one.expected;
  }
  return failed == 0 ? 0 : 1;
}
